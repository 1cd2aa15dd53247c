#ifndef VIRTIO_IRQ_H
#define VIRTIO_IRQ_H

#include "virtio.h"

/* Before the queues: MSI-X on or off, handlers registered, the configuration vector written. False: not this mode. */
bool virtio_irq_open(struct virtio_device *device, enum irq_mode mode);
void virtio_irq_close(struct virtio_device *device);
/* The MSI-X entry of a queue in the present mode, or VIRTIO_NO_VECTOR. */
u16 virtio_irq_vector(const struct virtio_device *device, u16 queue);

#endif
