#include "arch.h"
#include "kernel.h"
#include "string.h"
#include "virtio_net.h"

/* A network device (virtio 1.2 section 5.1) with one pair of queues: frames come, frames go, commands are answered. */
enum { TIMEOUT_US = 2000000, BUFFER_PAGES = 4 };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10, STATUS_LINK_UP = 1 };
enum { HEADER_NEEDS_CHECKSUM = 1, HEADER_DATA_VALID = 2 };
enum { HEADER_FLAGS = 0, HEADER_CHECKSUM_START = 6, HEADER_CHECKSUM_OFFSET = 8, HEADER_BUFFERS = 10 };
enum { HEADER_HASH = 12, HEADER_HASHED = 16, HEADER_NETWORK = 24 };

static struct virtio_net cards[VIRTIO_MAX];

struct virtio_net *net_card(void)
{
	struct virtio_device *device = virtio_find(VIRTIO_NET);

	return device != NULL ? device->driver_data : NULL;
}

static void offer(struct virtio_net *net, u8 *at)
{
	struct virtio_buffer buffer = {at, net->buffer_size};

	virtqueue_add(&net->device->queue[NET_RECEIVE], &buffer, 0, 1, at);
}

static void read_link(struct virtio_net *net)
{
	struct virtio_device *device = net->device;

	net->link = !virtio_has(device, NET_F_STATUS) ||
	            device->transport->config(device, CONFIG_STATUS, 2) & STATUS_LINK_UP;
}

/* Section 5.1.6: the more was agreed on the longer it is, and the same bytes mean the same. */
static u32 header_size(const struct virtio_device *device)
{
	if (virtio_has(device, NET_F_OUT_NET_HEADER))
		return 32;
	if (virtio_has(device, NET_F_HASH_REPORT))
		return 20;
	return virtio_has(device, NET_F_MRG_RXBUF) || virtio_has(device, F_VERSION_1) ? 12 : 10;
}

/* Sections 5.1.6.1 and 5.1.6.3: small buffers where frames may be spread over several, else each takes the longest. */
static bool start(struct virtio_device *device)
{
	struct virtio_net *net = &cards[device->number];
	u8 *buffers = net->buffers != NULL ? net->buffers : page_alloc(BUFFER_PAGES);
	struct net_slot *slots = net->slots != NULL ? net->slots : page_alloc(NET_SLOTS * sizeof(*slots) / PAGE_SIZE + 1);
	bool merge = virtio_has(device, NET_F_MRG_RXBUF);

	if (buffers == NULL || slots == NULL)
		return false;
	*net = (struct virtio_net){.device = device, .buffers = buffers, .slots = slots, .mtu = 1500};
	memset(slots, 0, NET_SLOTS * sizeof(*slots));
	net->header_size = header_size(device);
	net->buffer_size = merge ? 512 : 2048;
	net->buffer_count = min_u32(BUFFER_PAGES * PAGE_SIZE / net->buffer_size, device->queue[NET_RECEIVE].size);
	if (virtio_has(device, NET_F_MTU))
		net->mtu = (u16)min_u32((u32)device->transport->config(device, CONFIG_MTU, 2), 1500);
	for (u32 i = 0; i < 6; i++)
		net->mac[i] = (u8)device->transport->config(device, CONFIG_MAC + i, 1);
	read_link(net);
	device->driver_data = net;
	for (u32 i = 0; i < net->buffer_count; i++)
		offer(net, buffers + i * net->buffer_size);
	return true;
}

static void config_interrupt(struct virtio_device *device)
{
	read_link(device->driver_data);
}

static void read_header(struct virtio_net *net, const u8 *header)
{
	const struct byte_order *order = net->device->transport->order;

	net->valid = header[HEADER_FLAGS] & HEADER_DATA_VALID;
	if (virtio_has(net->device, NET_F_HASH_REPORT)) {
		net->hash = order->w32(*(u32 *)(header + HEADER_HASH));
		net->hashed = order->w16(*(u16 *)(header + HEADER_HASHED));
	}
	if (virtio_has(net->device, NET_F_OUT_NET_HEADER))
		net->network_at = order->w16(*(u16 *)(header + HEADER_NETWORK));
}

/* One used buffer. The first of a frame says how many there are (section 5.1.6.4). */
static void take_buffer(struct virtio_net *net, u8 *at, u32 length)
{
	u32 skip = 0;

	if (net->buffers_left == 0) {
		u16 count = 1;
		if (length < net->header_size)
			return; /* the device had no use for it */
		if (virtio_has(net->device, NET_F_MRG_RXBUF))
			count = net->device->transport->order->w16(*(u16 *)(at + HEADER_BUFFERS));
		net->buffers_left = count;
		net->merged += count > 1;
		read_header(net, at);
		net->whole = true;
		net->length = 0;
		skip = net->header_size;
	}
	if (net->length + length - skip > NET_FRAME) {
		net->whole = false;
		length = skip;
	}
	memcpy(net->frame + net->length, at + skip, length - skip);
	net->length += length - skip;
	net->buffers_left--;
}

static void take_received(struct virtio_net *net, u8 *at, u32 length)
{
	u32 received = net->length;

	take_buffer(net, at, length);
	offer(net, at);
	if (net->buffers_left > 0 || (received == net->length && length < net->header_size))
		return;
	if (!net->whole) {
		net->dropped++;
		return;
	}
	net->received++;
	net_input(net, net->frame, net->length, net->valid);
}

static void queue_interrupt(struct virtio_device *device, u16 queue)
{
	struct virtio_net *net = device->driver_data;
	struct virtqueue *q = &device->queue[queue];
	void *token;
	u32 length;

	do {
		while ((token = virtqueue_take(q, &length)) != NULL) {
			if (queue == NET_RECEIVE)
				take_received(net, token, length);
			else if (queue == NET_TRANSMIT)
				((struct net_slot *)token)->busy = false;
			else
				net->answered = true;
		}
		virtqueue_interrupt_after(q, 1);
	} while (virtqueue_has_used(q));
	if (queue == NET_RECEIVE)
		virtio_kick(device, NET_RECEIVE);
}

const struct virtio_driver virtio_net_driver = {
	.type = VIRTIO_NET,
	.name = "net",
	.features = {{FEATURE(NET_F_CSUM) | FEATURE(NET_F_GUEST_CSUM) | FEATURE(NET_F_MTU) | FEATURE(NET_F_MAC) |
	              FEATURE(NET_F_MRG_RXBUF) | FEATURE(NET_F_STATUS) | FEATURE(NET_F_CTRL_VQ) | FEATURE(NET_F_CTRL_RX) |
	              FEATURE(NET_F_CTRL_MAC_ADDR) | FEATURE(NET_F_HASH_REPORT),
	              FEATURE(NET_F_OUT_NET_HEADER)}},
	.on_demand = {{FEATURE(NET_F_HASH_REPORT), FEATURE(NET_F_OUT_NET_HEADER)}},
	.queues = 3,
	.queue_limit = 32,
	.start = start,
	.queue_interrupt = queue_interrupt,
	.config_interrupt = config_interrupt,
};

u8 *net_frame(struct virtio_net *net)
{
	u32 flags = irq_save();
	u8 *frame = NULL;

	for (u32 i = 0; i < NET_SLOTS && frame == NULL; i++) {
		if (net->slots[i].busy)
			continue;
		net->slots[i].busy = true;
		frame = net->slots[i].frame;
	}
	net->dropped += frame == NULL;
	irq_restore(flags);
	return frame;
}

bool net_offer(struct virtio_net *net, u8 *frame, u32 length, u32 checksum_start, u32 checksum_offset)
{
	struct net_slot *slot = (struct net_slot *)(frame - offsetof(struct net_slot, frame));
	struct virtio_buffer chain[2] = {{slot->header, net->header_size}, {frame, length}};
	const struct byte_order *order = net->device->transport->order;
	u32 flags = irq_save();
	bool sent = false;

	memset(slot->header, 0, sizeof(slot->header));
	if (checksum_start != 0) {
		slot->header[HEADER_FLAGS] = HEADER_NEEDS_CHECKSUM;
		*(u16 *)(slot->header + HEADER_CHECKSUM_START) = order->w16((u16)checksum_start);
		*(u16 *)(slot->header + HEADER_CHECKSUM_OFFSET) = order->w16((u16)checksum_offset);
	}
	if (length > 0 && length <= NET_FRAME && net->device->running)
		sent = virtqueue_add(&net->device->queue[NET_TRANSMIT], chain, 2, 0, slot);
	net->sent += sent;
	if (!sent)
		slot->busy = false;
	irq_restore(flags);
	return sent;
}

void net_kick(struct virtio_net *net)
{
	u32 flags = irq_save();

	virtio_kick(net->device, NET_TRANSMIT);
	irq_restore(flags);
}

bool net_send(struct virtio_net *net, u8 *frame, u32 length, u32 checksum_start, u32 checksum_offset)
{
	bool sent = net_offer(net, frame, length, checksum_start, checksum_offset);

	if (sent)
		net_kick(net);
	return sent;
}

static bool is_answered(void *arg)
{
	return ((struct virtio_net *)arg)->answered;
}

bool net_command(struct virtio_net *net, u8 class, u8 command, const void *data, u32 length)
{
	u8 head[2] = {class, command}, answer = 0xff;
	struct virtio_buffer chain[3] = {{head, 2}, {(void *)data, length}, {&answer, 1}};

	net->answered = false;
	if (!net->device->running || !virtio_has(net->device, NET_F_CTRL_VQ))
		return false;
	if (!virtqueue_add(&net->device->queue[NET_CONTROL], chain, 2, 1, net))
		return false;
	virtio_kick(net->device, NET_CONTROL);
	if (wait_until(is_answered, net, TIMEOUT_US))
		return *(volatile u8 *)&answer == 0;
	virtio_stop(net->device); /* the buffers are the device's until then */
	return false;
}
