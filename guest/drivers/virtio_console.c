#include "kernel.h"
#include "string.h"
#include "virtio.h"
#include "virtio_console.h"

/* A console (virtio 1.2 section 5.3) with its one port: queue 0 receives, queue 1 transmits. */
enum { RECEIVE = 0, TRANSMIT = 1, RECEIVE_SIZE = 64, TIMEOUT_US = 2000000 };

static struct console {
	char receiving[RECEIVE_SIZE];
	char received[RECEIVE_SIZE];
	volatile u32 received_count;
	volatile bool sent;
} consoles[VIRTIO_MAX];

static void offer_receive(struct virtio_device *device, struct console *console)
{
	struct virtio_buffer buffer = {console->receiving, RECEIVE_SIZE};

	virtqueue_add(&device->queue[RECEIVE], &buffer, 0, 1, console);
}

static bool start(struct virtio_device *device)
{
	struct console *console = &consoles[device->number];

	console->received_count = 0;
	device->driver_data = console;
	offer_receive(device, console);
	return true;
}

static void take_received(struct virtio_device *device, struct console *console, u32 length)
{
	console->received_count = min_u32(length, RECEIVE_SIZE);
	memcpy(console->received, console->receiving, console->received_count);
	offer_receive(device, console);
	virtio_kick(device, RECEIVE);
}

static void queue_interrupt(struct virtio_device *device, u16 queue)
{
	struct console *console = device->driver_data;
	struct virtqueue *q = &device->queue[queue];
	u32 length;

	do {
		while (virtqueue_take(q, &length) != NULL) {
			if (queue == TRANSMIT)
				console->sent = true;
			else
				take_received(device, console, length);
		}
		virtqueue_interrupt_after(q, 1);
	} while (virtqueue_has_used(q));
}

const struct virtio_driver virtio_console_driver = {
	.type = VIRTIO_CONSOLE,
	.name = "console",
	.queues = 2,
	.queue_limit = 16,
	.start = start,
	.queue_interrupt = queue_interrupt,
};

static bool is_sent(void *arg)
{
	return ((struct console *)arg)->sent;
}

bool virtio_console_write(struct virtio_device *device, const char *text, u32 length)
{
	struct console *console = device->driver_data;
	struct virtio_buffer buffer = {(void *)text, length};

	console->sent = false;
	if (!device->running || !virtqueue_add(&device->queue[TRANSMIT], &buffer, 1, 0, console))
		return false;
	virtio_kick(device, TRANSMIT);
	if (wait_until(is_sent, console, TIMEOUT_US))
		return true;
	virtio_stop(device); /* the text is the device's until then */
	return false;
}

u32 virtio_console_received(struct virtio_device *device, const char **text)
{
	struct console *console = device->driver_data;

	*text = console->received;
	return console->received_count;
}
