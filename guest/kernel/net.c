#include "arch.h"
#include "kernel.h"
#include "net.h"
#include "string.h"

/*
 * Address resolution (RFC 826), IPv4 (RFC 791) without options and fragments, ICMP echo (RFC 792) and UDP (RFC 768), as far as a
 * kernel needs them which answers and asks. Frames are answered from the interrupt which brought them.
 */
enum { ETHER_IP4 = 0x0800, ETHER_ARP = 0x0806, ARP_REQUEST = 1, ARP_REPLY = 2, ARP_LENGTH = 28 };
enum { IP_HEADER = 20, IP_ICMP = 1, IP_UDP = 17, IP_AT = ETHER_HEADER, IP_DATA = IP_AT + IP_HEADER };
enum { ICMP_HEADER = 8, ICMP_REPLY = 0, ICMP_REQUEST = 8, ICMP_ID = 0xba20 };
enum { UDP_HEADER = 8, UDP_CHECKSUM = 6, PORT_ECHO = 7, PORT_OURS = NET_UDP_PORT };
enum { NEIGHBOURS = 8, PATIENCE_US = 1000000 };

struct net_counts net_counts;
static struct neighbour {
	u32 address;
	u8 mac[6];
} neighbours[NEIGHBOURS];
static u32 next_neighbour;

/* What somebody waits for: an echo with this sequence number, or a datagram to our port; and what came. */
static struct {
	u8 protocol;
	u16 sequence;
	u32 from;
	const u8 *data;
	u32 length;
	volatile bool come, same;
} awaited;

u32 net_address(void)
{
	static u32 address;
	struct virtio_net *net = net_card();
	char text[16];

	if (address == 0 && !(option_text("ip", text, sizeof(text)) && parse_address(text, &address)))
		address = 10u << 24 | (1u + (net != NULL ? net->mac[5] : 0));
	return address;
}

static struct neighbour *neighbour(u32 address)
{
	for (u32 i = 0; i < NEIGHBOURS; i++)
		if (neighbours[i].address == address)
			return &neighbours[i];
	return NULL;
}

static void learn(u32 address, const u8 *mac)
{
	struct neighbour *n = neighbour(address);

	if (n == NULL)
		n = &neighbours[next_neighbour++ % NEIGHBOURS];
	n->address = address;
	memcpy(n->mac, mac, 6);
}

static void ether_header(struct virtio_net *net, u8 *frame, const u8 *to, u16 type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, net->mac, 6);
	put16(frame + 12, type);
}

static void send_arp(struct virtio_net *net, u16 operation, const u8 *to, u32 address)
{
	static const u8 everybody[6] = {255, 255, 255, 255, 255, 255};
	u8 *frame = net_frame(net), *arp = frame + ETHER_HEADER;

	if (frame == NULL)
		return;
	memset(frame, 0, 60); /* the shortest frame */
	ether_header(net, frame, to != NULL ? to : everybody, ETHER_ARP);
	put16(arp, 1); /* Ethernet */
	put16(arp + 2, ETHER_IP4);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, operation);
	memcpy(arp + 8, net->mac, 6);
	put32(arp + 14, net_address());
	if (to != NULL)
		memcpy(arp + 18, to, 6);
	put32(arp + 24, address);
	net_send(net, frame, 60, 0, 0);
}

static void arp_input(struct virtio_net *net, const u8 *arp, u32 length)
{
	if (length < ARP_LENGTH || get16(arp) != 1 || get16(arp + 2) != ETHER_IP4 || get32(arp + 24) != net_address())
		return;
	learn(get32(arp + 14), arp + 8);
	if (get16(arp + 6) == ARP_REQUEST) {
		net_counts.arp++;
		send_arp(net, ARP_REPLY, arp + 8, get32(arp + 14));
	}
}

/* The header in front of so many bytes which are there already. */
static void ip_header(struct virtio_net *net, u8 *frame, const u8 *mac, u32 to, u8 protocol, u32 length)
{
	static u16 identification;
	u8 *ip = frame + IP_AT;

	ether_header(net, frame, mac, ETHER_IP4);
	memset(ip, 0, IP_HEADER);
	ip[0] = 0x45;
	put16(ip + 2, (u16)(IP_HEADER + length));
	put16(ip + 4, ++identification);
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, net_address());
	put32(ip + 16, to);
	put16(ip + 10, (u16)~internet_sum(ip, IP_HEADER, 0));
}

static void send_icmp(struct virtio_net *net, const u8 *mac, u32 to, u8 type, const u8 *rest, const u8 *data, u32 length)
{
	u8 *frame = net_frame(net), *icmp = frame + IP_DATA;

	if (frame == NULL)
		return;
	icmp[0] = type;
	icmp[1] = 0;
	put16(icmp + 2, 0);
	memcpy(icmp + 4, rest, 4);
	memcpy(icmp + ICMP_HEADER, data, length);
	put16(icmp + 2, (u16)~internet_sum(icmp, ICMP_HEADER + length, 0));
	ip_header(net, frame, mac, to, IP_ICMP, ICMP_HEADER + length);
	net_send(net, frame, IP_DATA + ICMP_HEADER + length, 0, 0);
}

static u32 pseudo_header(const u8 *ip, u32 length)
{
	return internet_sum(ip + 12, 8, IP_UDP + length);
}

/* The device does the checksum where it can: then only the pseudo header's sum is there (virtio 1.2 section 5.1.6.2). */
static void send_udp(struct virtio_net *net, const u8 *mac, u32 to, u16 from_port, u16 to_port, const u8 *data, u32 length)
{
	bool offload = virtio_has(net->device, NET_F_CSUM);
	u8 *frame = net_frame(net), *udp = frame + IP_DATA;
	u32 size = UDP_HEADER + length;
	u16 sum;

	if (frame == NULL)
		return;
	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, (u16)size);
	put16(udp + UDP_CHECKSUM, 0);
	memcpy(udp + UDP_HEADER, data, length);
	ip_header(net, frame, mac, to, IP_UDP, size);
	sum = (u16)pseudo_header(frame + IP_AT, size);
	if (!offload) {
		sum = (u16)~internet_sum(udp, size, sum);
		sum = sum != 0 ? sum : 0xffff; /* 0 would say that there is none */
	}
	put16(udp + UDP_CHECKSUM, sum);
	net_send(net, frame, IP_DATA + size, offload ? IP_DATA : 0, UDP_CHECKSUM);
}

static void arrived(u8 protocol, u32 from, u16 sequence, const u8 *data, u32 length)
{
	if (awaited.come || awaited.protocol != protocol || awaited.from != from || awaited.sequence != sequence)
		return;
	awaited.same = length == awaited.length && memcmp(data, awaited.data, length) == 0;
	awaited.come = true;
}

static void icmp_input(struct virtio_net *net, const u8 *mac, u32 from, const u8 *icmp, u32 length)
{
	if (length < ICMP_HEADER)
		return;
	if (internet_sum(icmp, length, 0) != 0xffff) {
		net_counts.bad_checksum++;
		return;
	}
	if (icmp[0] == ICMP_REQUEST) {
		net_counts.echo++;
		send_icmp(net, mac, from, ICMP_REPLY, icmp + 4, icmp + ICMP_HEADER, length - ICMP_HEADER);
	} else if (icmp[0] == ICMP_REPLY && get16(icmp + 4) == ICMP_ID)
		arrived(IP_ICMP, from, get16(icmp + 6), icmp + ICMP_HEADER, length - ICMP_HEADER);
}

/* Port 7 sends back what came (RFC 862), but not to another port 7, which would go on for ever. */
static void udp_input(struct virtio_net *net, const u8 *mac, u32 from, const u8 *ip, const u8 *udp, u32 length)
{
	u32 size = get16(udp + 4);

	if (length < UDP_HEADER || size < UDP_HEADER || size > length)
		return;
	if (get16(udp + UDP_CHECKSUM) != 0 && internet_sum(udp, size, pseudo_header(ip, size)) != 0xffff) {
		net_counts.bad_checksum++;
		return;
	}
	if (get16(udp + 2) == PORT_ECHO && get16(udp) != PORT_ECHO) {
		net_counts.udp++;
		send_udp(net, mac, from, PORT_ECHO, get16(udp), udp + UDP_HEADER, size - UDP_HEADER);
	} else if (get16(udp + 2) == PORT_OURS)
		arrived(IP_UDP, from, get16(udp), udp + UDP_HEADER, size - UDP_HEADER);
}

static void ip_input(struct virtio_net *net, const u8 *mac, const u8 *ip, u32 length)
{
	u32 size = get16(ip + 2), from = get32(ip + 12);

	if (length < IP_HEADER || ip[0] != 0x45 || size < IP_HEADER || size > length || get16(ip + 6) & 0x3fff)
		return;
	if (internet_sum(ip, IP_HEADER, 0) != 0xffff) {
		net_counts.bad_checksum++;
		return;
	}
	if (get32(ip + 16) != net_address())
		return;
	if (ip[9] == IP_ICMP)
		icmp_input(net, mac, from, ip + IP_HEADER, size - IP_HEADER);
	else if (ip[9] == IP_UDP)
		udp_input(net, mac, from, ip, ip + IP_HEADER, size - IP_HEADER);
}

void net_input(struct virtio_net *net, const u8 *frame, u32 length, bool valid)
{
	if (length < ETHER_HEADER || net != net_card())
		return;
	net_counts.valid += valid;
	switch (get16(frame + 12)) {
	case ETHER_ARP: return arp_input(net, frame + ETHER_HEADER, length - ETHER_HEADER);
	case ETHER_IP4: return ip_input(net, frame + 6, frame + ETHER_HEADER, length - ETHER_HEADER);
	case ETHER_TEST: net_counts.test++;
	}
}

static bool is_known(void *arg)
{
	return neighbour(*(u32 *)arg) != NULL;
}

bool net_resolve(u32 address, u8 mac[6])
{
	struct virtio_net *net = net_card();

	if (net == NULL)
		return false;
	if (neighbour(address) == NULL) {
		send_arp(net, ARP_REQUEST, NULL, address);
		if (!wait_until(is_known, &address, PATIENCE_US))
			return false;
	}
	memcpy(mac, neighbour(address)->mac, 6);
	return true;
}

static bool has_come(void *arg)
{
	(void)arg;
	return awaited.come;
}

static void await(u8 protocol, u32 from, u16 sequence, const void *data, u32 length)
{
	u32 flags = irq_save();

	awaited.protocol = protocol;
	awaited.from = from;
	awaited.sequence = sequence;
	awaited.data = data;
	awaited.length = length;
	awaited.come = awaited.same = false;
	irq_restore(flags);
}

static bool came(void)
{
	bool ok = wait_until(has_come, NULL, PATIENCE_US) && awaited.same;

	awaited.come = true; /* what comes late has no buffer to be compared with */
	return ok;
}

bool net_ping(u32 address, u16 sequence, u32 size, u32 *us)
{
	static u8 data[NET_FRAME];
	u8 mac[6], rest[4];
	u64 begin;

	if (size > NET_FRAME - IP_DATA - ICMP_HEADER || !net_resolve(address, mac))
		return false;
	for (u32 i = 0; i < size; i++)
		data[i] = (u8)(i + sequence);
	put16(rest, ICMP_ID);
	put16(rest + 2, sequence);
	begin = cpu_ticks();
	await(IP_ICMP, address, sequence, data, size);
	send_icmp(net_card(), mac, address, ICMP_REQUEST, rest, data, size);
	if (!came())
		return false;
	*us = ticks_to_us(cpu_ticks() - begin);
	return true;
}

bool net_udp_echo(u32 address, const void *data, u32 length)
{
	u8 mac[6];

	if (length > NET_FRAME - IP_DATA - UDP_HEADER || !net_resolve(address, mac))
		return false;
	await(IP_UDP, address, PORT_ECHO, data, length);
	send_udp(net_card(), mac, address, PORT_OURS, PORT_ECHO, data, length);
	return came();
}

static void print_mac(const u8 *mac)
{
	for (int i = 0; i < 6; i++)
		kprintf("%s%02x", i > 0 ? ":" : "", mac[i]);
}

void net_print(void)
{
	struct virtio_net *net = net_card();

	kprintf("  ");
	print_mac(net->mac);
	kprintf(", address " ADDRESS_FORMAT ", link %s, MTU %u\n", ADDRESS_ARGS(net_address()), net->link ? "up" : "down",
	        net->mtu);
	kprintf("  %u frames sent, %u received, %u of them merged, %u dropped, %u bad checksums\n", net->sent, net->received,
	        net->merged, net->dropped, net_counts.bad_checksum);
	kprintf("  answered: %u ARP, %u echo, %u UDP\n", net_counts.arp, net_counts.echo, net_counts.udp);
	for (u32 i = 0; i < NEIGHBOURS; i++) {
		if (neighbours[i].address == 0)
			continue;
		kprintf("  " ADDRESS_FORMAT " is at ", ADDRESS_ARGS(neighbours[i].address));
		print_mac(neighbours[i].mac);
		kprintf("\n");
	}
}
