#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include "virtio.h"

/* virtio 1.2 section 5.1 */
enum {
	NET_F_CSUM = 0,
	NET_F_GUEST_CSUM = 1,
	NET_F_MTU = 3,
	NET_F_MAC = 5,
	NET_F_MRG_RXBUF = 15,
	NET_F_STATUS = 16,
	NET_F_CTRL_VQ = 17,
	NET_F_CTRL_RX = 18,
	NET_F_CTRL_MAC_ADDR = 23,
	NET_F_HASH_REPORT = 57,
	NET_F_RSS = 60,
	NET_F_OUT_NET_HEADER = 69, /* virtio 1.4 */
};
enum { NET_CONTROL_RX = 0, NET_CONTROL_MAC = 1, NET_CONTROL_QUEUES = 4 };
enum { NET_RX_PROMISCUOUS = 0, NET_MAC_TABLE_SET = 0, NET_MAC_ADDRESS_SET = 1, NET_HASH_CONFIG = 2 };
/* Hash types, as bits of what is wanted and as a number of what was done (section 5.1.6.4.3) */
enum { NET_HASH_UDP4 = 4, NET_HASHED_UDP4 = 3, NET_HASH_KEY = 40 };

enum { NET_RECEIVE = 0, NET_TRANSMIT = 1, NET_CONTROL = 2 }; /* queues */
enum { NET_FRAME = 1518, NET_SLOTS = 8 };

struct net_slot {
	u8 header[32];
	u8 frame[2016];
	bool busy;
};

struct virtio_net {
	struct virtio_device *device;
	u8 mac[6];
	u16 mtu;
	bool link;
	u32 sent, received, merged, dropped; /* frames; those of more than one buffer; those with no slot or too long */

	u32 header_size;
	u32 buffer_size, buffer_count;
	u8 *buffers;
	u8 frame[NET_FRAME]; /* being put together */
	u32 length, buffers_left;
	bool whole, valid; /* nothing cut off; the device has looked at the checksum */
	u32 hash;          /* of the last frame, with HASH_REPORT, and of what */
	u16 hashed;
	u16 network_at;    /* offset of its network header, with OUT_NET_HEADER */
	struct net_slot *slots;
	volatile bool answered;
};

extern const struct virtio_driver virtio_net_driver;
struct virtio_net *net_card(void); /* the first that runs, or NULL */

/* Room for a frame, to be sent or given back by sending it with length 0; NULL when all is in use. */
u8 *net_frame(struct virtio_net *net);
/*
 * Sends it. With a checksum_start the device is asked to put the checksum from there on at checksum_start + checksum_offset;
 * the device must have NET_F_CSUM then.
 */
bool net_send(struct virtio_net *net, u8 *frame, u32 length, u32 checksum_start, u32 checksum_offset);
/* The same, but the device is not told of it: whoever has offered several tells it once. */
bool net_offer(struct virtio_net *net, u8 *frame, u32 length, u32 checksum_start, u32 checksum_offset);
void net_kick(struct virtio_net *net);
/* Sleeps until the control queue has answered; true for OK. */
bool net_command(struct virtio_net *net, u8 class, u8 command, const void *data, u32 length);

/* kernel/net.c: a frame has come. */
void net_input(struct virtio_net *net, const u8 *frame, u32 length, bool valid);

#endif
