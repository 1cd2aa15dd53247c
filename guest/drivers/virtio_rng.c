#include "kernel.h"
#include "virtio.h"
#include "virtio_rng.h"

/* An entropy device (virtio 1.2 section 5.4): one queue of writable buffers, no configuration. */
enum { TIMEOUT_US = 2000000 };

struct request {
	volatile bool done;
	u32 length;
};

static bool start(struct virtio_device *device)
{
	(void)device;
	return true;
}

static void queue_interrupt(struct virtio_device *device, u16 queue)
{
	struct virtqueue *q = &device->queue[queue];
	struct request *request;
	u32 length;

	do {
		while ((request = virtqueue_take(q, &length)) != NULL) {
			request->length = length;
			request->done = true;
		}
		virtqueue_interrupt_after(q, 1);
	} while (virtqueue_has_used(q));
}

const struct virtio_driver virtio_rng_driver = {
	.type = VIRTIO_RNG,
	.name = "rng",
	.queues = 1,
	.queue_limit = 8,
	.start = start,
	.queue_interrupt = queue_interrupt,
};

static bool is_done(void *arg)
{
	return ((struct request *)arg)->done;
}

u32 rng_read(struct virtio_device *device, void *data, u32 length)
{
	struct request request = {false, 0};
	struct virtio_buffer buffer = {data, length};

	if (!device->running || !virtqueue_add(&device->queue[0], &buffer, 0, 1, &request))
		return 0;
	virtio_kick(device, 0);
	if (!wait_until(is_done, &request, TIMEOUT_US)) {
		virtio_stop(device); /* the buffer is the device's until then */
		return 0;
	}
	return request.length;
}
