#include "arch.h"
#include "net.h"
#include "selftest.h"
#include "string.h"

/* A network card which hears itself: a loopback. On any other network most of these cannot be made. */
enum { FRAME = 100, QUIET_US = 2000 };

static const u8 stranger[6] = {0x02, 0, 0, 0, 0x99, 0x99};
static const char text[] = "a datagram to itself";

/* Whether a frame to that address comes back to us. */
static bool hears(struct virtio_net *net, const u8 *to)
{
	u8 *frame = net_frame(net);
	u32 before = net_counts.test;

	if (frame == NULL)
		return false;
	memset(frame, 0x5a, FRAME);
	memcpy(frame, to, 6);
	memcpy(frame + 6, net->mac, 6);
	put16(frame + 12, ETHER_TEST);
	net_send(net, frame, FRAME, 0, 0);
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

	if (net == NULL || !(net->device->features & FEATURE(NET_F_CSUM)))
		return SKIP("no network card at a loopback which fills in checksums");
	for (u32 length = 0; length <= 17; length++)
		if (!net_udp_echo(net_address(), text, length))
			return failure("a datagram of %u bytes did not come back", length);
	EXPECT("packets with a bad checksum", net_counts.bad_checksum, bad);
	if (net->device->features & FEATURE(NET_F_GUEST_CSUM))
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
	if (net->device->features & FEATURE(NET_F_MRG_RXBUF))
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

	if (net == NULL || !(net->device->features & FEATURE(NET_F_CTRL_RX)))
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

	if (net == NULL || !(net->device->features & FEATURE(NET_F_CTRL_MAC_ADDR)))
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
	u64 wanted;
	bool up, echoed;

	if (net == NULL)
		return SKIP("no network card at a loopback");
	device = net->device;
	wanted = device->features_wanted;
	virtio_stop(device);
	device->features_wanted = wanted & ~(FEATURE(NET_F_CSUM) | FEATURE(NET_F_GUEST_CSUM) | FEATURE(NET_F_MRG_RXBUF));
	up = virtio_start(device, irq_mode_asked());
	echoed = up && net_udp_echo(net_address(), text, sizeof(text));
	virtio_stop(device);
	device->features_wanted = wanted;
	if (!virtio_start(device, irq_mode_asked()) || !up)
		return "it did not come up again";
	EXPECT("a datagram came back", echoed, 1);
	return NULL;
}

static const struct check checks[] = {
	{"net: the link is up, the address is a station's", station},
	{"net: UDP and ICMP echoes to itself come back", echoes},
	{"net: checksums which are left to the device are right", checksums},
	{"net: a packet as long as the MTU comes back whole", longest},
	{"net: frames to others are not heard unless they are asked for", filter},
	{"net: another address can be set", address_set},
	{"net: neither merged buffers nor checksum offload are needed", plain},
};
const struct check_list checks_net = {checks, COUNT(checks)};
