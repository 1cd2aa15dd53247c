#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

#include "virtio.h"

extern const struct virtio_driver virtio_rng_driver;
/* Bytes really filled, 0 if the device did not answer. */
u32 rng_read(struct virtio_device *device, void *data, u32 length);

#endif
