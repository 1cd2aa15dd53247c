#include "arch.h"
#include "net.h"
#include "selftest.h"
#include "string.h"

/* A network card which hears itself: a loopback. On any other network most of these cannot be made. */
enum { FRAME = 100, QUIET_US = 2000, TOGETHER = 5 };

static const u8 stranger[6] = {0x02, 0, 0, 0, 0x99, 0x99};
static const char text[] = "a datagram to itself";

static bool offer(struct virtio_net *net, const u8 *to)
{
	u8 *frame = net_frame(net);

	if (frame == NULL)
		return false;
	memset(frame, 0x5a, FRAME);
	memcpy(frame, to, 6);
	memcpy(frame + 6, net->mac, 6);
	put16(frame + 12, ETHER_TEST);
	return net_offer(net, frame, FRAME, 0, 0);
}

/* Whether a frame to that address comes back to us. */
static bool hears(struct virtio_net *net, const u8 *to)
{
	u32 before = net_counts.test;

	if (!offer(net, to))
		return false;
	net_kick(net);
	sleep_us(QUIET_US);
	return net_counts.test == before + 1;
}

static struct virtio_net *loopback(void)
{
	struct virtio_net *net = net_card();

	return net != NULL && hears(net, net->mac) ? net : NULL;
}

static const char *station(void)
{
	struct virtio_net *net = net_card();

	if (net == NULL)
		return SKIP("no network card");
	EXPECT("link", net->link, 1);
	EXPECT("group bit of the address", net->mac[0] & 1, 0);
	if (net->mtu < 68)
		return failure("the MTU is %u", net->mtu);
	return NULL;
}

static const char *echoes(void)
{
	struct virtio_net *net = loopback();
	u32 us;

	if (net == NULL)
		return SKIP("no network card at a loopback");
	if (!net_udp_echo(net_address(), text, sizeof(text)))
		return "the datagram did not come back";
	if (!net_ping(net_address(), 1, 56, &us))
		return "the echo did not come back";
	EXPECT("packets with a bad checksum", net_counts.bad_checksum, 0);
	return NULL;
}

static const char *checksums(void)
{
	struct virtio_net *net = loopback();
	u32 bad = net_counts.bad_checksum, valid = net_counts.valid;

	if (net == NULL || !virtio_has(net->device, NET_F_CSUM))
		return SKIP("no network card at a loopback which fills in checksums");
	for (u32 length = 0; length <= 17; length++)
		if (!net_udp_echo(net_address(), text, length))
			return failure("a datagram of %u bytes did not come back", length);
	EXPECT("packets with a bad checksum", net_counts.bad_checksum, bad);
	if (virtio_has(net->device, NET_F_GUEST_CSUM))
		EXPECT("packets which the device found good", net_counts.valid, valid + 36);
	return NULL;
}

static const char *longest(void)
{
	struct virtio_net *net = loopback();
	u32 merged, us;

	if (net == NULL)
		return SKIP("no network card at a loopback");
	merged = net->merged;
	if (!net_ping(net_address(), 2, net->mtu - 28u, &us))
		return failure("a packet of %u bytes did not come back", net->mtu);
	if (virtio_has(net->device, NET_F_MRG_RXBUF))
		EXPECT("frames of more than one buffer", net->merged - merged, 2);
	return NULL;
}

static const char *set_table(struct virtio_net *net, u32 entries)
{
	const struct byte_order *order = net->device->transport->order;
	u32 none = 0, count = order->w32(entries), length = 4;
	u8 table[16];

	memcpy(table, &count, 4);
	if (entries == 1) {
		memcpy(table + length, stranger, 6);
		length += 6;
	}
	memcpy(table + length, &none, 4);
	return net_command(net, NET_CONTROL_MAC, NET_MAC_TABLE_SET, table, length + 4) ? NULL : "the table was refused";
}

static const char *filter(void)
{
	struct virtio_net *net = loopback();
	const u8 on = 1, off = 0;
	const char *why;

	if (net == NULL || !virtio_has(net->device, NET_F_CTRL_RX))
		return SKIP("no network card at a loopback which filters");
	if (!net_command(net, NET_CONTROL_RX, NET_RX_PROMISCUOUS, &off, 1))
		return "promiscuous mode cannot be turned off";
	EXPECT("a stranger's frame", hears(net, stranger), 0);
	if (!net_command(net, NET_CONTROL_RX, NET_RX_PROMISCUOUS, &on, 1))
		return "promiscuous mode was refused";
	EXPECT("a stranger's frame in promiscuous mode", hears(net, stranger), 1);
	if (!net_command(net, NET_CONTROL_RX, NET_RX_PROMISCUOUS, &off, 1))
		return "promiscuous mode cannot be turned off";
	if ((why = set_table(net, 1)) != NULL)
		return why;
	EXPECT("a frame to an address in the table", hears(net, stranger), 1);
	if ((why = set_table(net, 0)) != NULL)
		return why;
	EXPECT("the same when the table is empty", hears(net, stranger), 0);
	EXPECT("a command which there is not", net_command(net, 99, 0, &on, 1), 0);
	return NULL;
}

static const char *address_set(void)
{
	struct virtio_net *net = loopback();
	struct virtio_device *device;
	u8 own[6];
	u32 shown;
	bool heard;

	if (net == NULL || !virtio_has(net->device, NET_F_CTRL_MAC_ADDR))
		return SKIP("no network card at a loopback whose address can be set");
	device = net->device;
	memcpy(own, net->mac, 6);
	if (!net_command(net, NET_CONTROL_MAC, NET_MAC_ADDRESS_SET, stranger, 6))
		return "the address was refused";
	shown = (u32)device->transport->config(device, 5, 1);
	heard = hears(net, stranger);
	if (!net_command(net, NET_CONTROL_MAC, NET_MAC_ADDRESS_SET, own, 6))
		return "the old address was refused";
	EXPECT("the last byte in the configuration", shown, stranger[5]);
	EXPECT("a frame to the new address", heard, 1);
	return NULL;
}

/* The header is then as short as it can be: 10 bytes for a legacy driver. */
static const char *plain(void)
{
	struct virtio_net *net = loopback();
	struct virtio_device *device;
	struct features wanted;
	bool up, echoed;

	if (net == NULL)
		return SKIP("no network card at a loopback");
	device = net->device;
	wanted = device->features_wanted;
	virtio_stop(device);
	device->features_wanted.half[0] &= ~(FEATURE(NET_F_CSUM) | FEATURE(NET_F_GUEST_CSUM) | FEATURE(NET_F_MRG_RXBUF));
	up = virtio_start(device, irq_mode_asked());
	echoed = up && net_udp_echo(net_address(), text, sizeof(text));
	virtio_stop(device);
	device->features_wanted = wanted;
	if (!virtio_start(device, irq_mode_asked()) || !up)
		return "it did not come up again";
	EXPECT("a datagram came back", echoed, 1);
	return NULL;
}

/* Runs a check with features which are not taken otherwise and without some, and puts back what was. */
static const char *with(struct features more, u64 without, const char *(*run)(struct virtio_net *net))
{
	struct virtio_net *net = loopback();
	struct virtio_device *device;
	struct features wanted, got;
	const char *result;

	if (net == NULL)
		return SKIP("no network card at a loopback");
	device = net->device;
	wanted = device->features_wanted;
	virtio_stop(device);
	device->features_wanted.half[0] = (wanted.half[0] & ~without) | more.half[0];
	device->features_wanted.half[1] |= more.half[1];
	result = virtio_start(device, irq_mode_asked()) ? NULL : "it did not come up";
	got = features_in_both(device->features, more);
	if (result == NULL)
		result = got.half[0] == more.half[0] && got.half[1] == more.half[1] ? run(device->driver_data) : SKIP("not offered");
	virtio_stop(device);
	device->features_wanted = wanted;
	if (!virtio_start(device, irq_mode_asked()))
		return "it did not come up again";
	return result;
}

/* Section 5.1.6.4.3: for each bit of the input that is set, the 32 bits of the key which begin there. */
static u32 toeplitz(const u8 *key, const u8 *input, u32 length)
{
	u32 hash = 0;

	for (u32 bit = 0; bit < 8 * length; bit++) {
		const u8 *at = key + bit / 8;
		u64 five = (u64)get32(at) << 8 | at[4];
		if (input[bit / 8] & 0x80 >> bit % 8)
			hash ^= (u32)(five >> (8 - bit % 8));
	}
	return hash;
}

static const u8 key[NET_HASH_KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* The key which everybody tries this with, and the first of the results which are known for it: 66.9.149.187:2794 to 161.142.100.80:1766. */
static const char *do_hash(struct virtio_net *net)
{
	static const u8 known[12] = {66, 9, 149, 187, 161, 142, 100, 80, 2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};
	u32 types = net->device->transport->order->w32(NET_HASH_UDP4);
	u8 config[13 + NET_HASH_KEY] = {0}, input[12];

	EXPECT("the known hash", toeplitz(key, known, 12), 0x51ccc178);
	memcpy(config, &types, 4);
	config[12] = NET_HASH_KEY;
	memcpy(config + 13, key, NET_HASH_KEY);
	if (!net_command(net, NET_CONTROL_QUEUES, NET_HASH_CONFIG, config, sizeof(config)))
		return "the hash was refused";
	if (!net_udp_echo(net_address(), text, sizeof(text)))
		return "the datagram did not come back";
	/* The last frame is the answer: from port 7 to the one which asked. */
	put32(input, net_address());
	put32(input + 4, net_address());
	put16(input + 8, 7);
	put16(input + 10, NET_UDP_PORT);
	EXPECT("what was hashed", net->hashed, NET_HASHED_UDP4);
	EXPECT("hash", net->hash, toeplitz(key, input, 12));
	EXPECT("a frame that is no datagram", hears(net, net->mac), 1);
	EXPECT("what was hashed of it", net->hashed, 0);
	return NULL;
}
static const char *hash(void) { return with((struct features){{FEATURE(NET_F_HASH_REPORT), 0}}, 0, do_hash); }

static const char *do_network_header(struct virtio_net *net)
{
	if (!net_udp_echo(net_address(), text, sizeof(text)))
		return "the datagram did not come back";
	EXPECT("offset of the network header", net->network_at, ETHER_HEADER);
	EXPECT("a frame that is no packet", hears(net, net->mac), 1);
	EXPECT("offset in it", net->network_at, 0);
	return NULL;
}
static const char *network_header(void)
{
	return with((struct features){{0, FEATURE(NET_F_OUT_NET_HEADER)}}, 0, do_network_header);
}

/* Sections 2.7.9 and 2.8.8: the device has them all at once, and tells of them by the last. */
static const char *do_together(struct virtio_net *net)
{
	const struct virtqueue *q = &net->device->queue[NET_TRANSMIT];
	u32 elements = q->used_elements, heard = net_counts.test;

	for (u32 round = 0; round < 10; round++) {
		for (u32 i = 0; i < TOGETHER; i++)
			if (!offer(net, net->mac))
				return failure("no room for frame %u of round %u", i, round);
		net_kick(net);
		sleep_us(QUIET_US);
	}
	EXPECT("frames which came back", net_counts.test - heard, 10 * TOGETHER);
	EXPECT("free descriptors", q->free_count, q->size);
	if (!arch_is_qemu())
		EXPECT("used elements", q->used_elements - elements, 10);
	return NULL;
}
static const char *split_together(void)
{
	return with((struct features){{FEATURE(F_IN_ORDER), 0}}, FEATURE(F_RING_PACKED), do_together);
}
static const char *packed_together(void)
{
	return with((struct features){{FEATURE(F_IN_ORDER) | FEATURE(F_RING_PACKED), 0}}, 0, do_together);
}

static const struct check checks[] = {
	{"net: the link is up, the address is a station's", station},
	{"net: UDP and ICMP echoes to itself come back", echoes},
	{"net: checksums which are left to the device are right", checksums},
	{"net: a packet as long as the MTU comes back whole", longest},
	{"net: frames to others are not heard unless they are asked for", filter},
	{"net: another address can be set", address_set},
	{"net: by feature 57 each frame tells its hash", hash},
	{"net: by feature 69 each frame tells where its packet begins", network_header},
	{"net: in order, one used element of a split ring tells of all that was sent together", split_together},
	{"net: in order, one used descriptor of a packed ring tells of all that was sent together", packed_together},
	{"net: neither merged buffers nor checksum offload are needed", plain},
};
const struct check_list checks_net = {checks, COUNT(checks)};
