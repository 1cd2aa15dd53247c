#ifndef NET_H
#define NET_H

#include "virtio_net.h"

/* lib/internet.c: what is on the wire is big-endian whatever the processor is. */
u16 get16(const u8 *at);
u32 get32(const u8 *at);
void put16(u8 *at, u16 value);
void put32(u8 *at, u32 value);
/* The one's complement sum of 16-bit words (RFC 1071) added to another sum, folded to 16 bits. */
u16 internet_sum(const u8 *data, u32 length, u32 sum);
/* A.B.C.D as a number; false where it is none. */
bool parse_address(const char *text, u32 *address);
#define ADDRESS_FORMAT "%u.%u.%u.%u"
#define ADDRESS_ARGS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255

enum { NET_UDP_PORT = 0xba20 }; /* ours */

/* kernel/net.c: one interface, the first card; everybody is on its link. */
enum { ETHER_HEADER = 14, ETHER_TEST = 0x88b5 /* IEEE 802: for experiments */ };
struct net_counts {
	u32 arp, echo, udp;     /* answered: requests of address resolution, ICMP echo, datagrams to port 7 */
	u32 bad_checksum, test; /* packets dropped for it; frames of ETHER_TEST */
	u32 valid;              /* packets whose checksum the device has found good */
};
extern struct net_counts net_counts;
u32 net_address(void); /* ip= of the command line, else 10.0.0.1 and up by the card's place */
/* Each sleeps until the answer is there or a second is over. */
bool net_resolve(u32 address, u8 mac[6]);
bool net_ping(u32 address, u16 sequence, u32 size, u32 *us);
bool net_udp_echo(u32 address, const void *data, u32 length);
void net_print(void);

#endif
