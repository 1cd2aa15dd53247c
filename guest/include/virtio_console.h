#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include "virtio.h"

extern const struct virtio_driver virtio_console_driver;
/* Sleeps until the device has taken the text. */
bool virtio_console_write(struct virtio_device *device, const char *text, u32 length);
/* What came with the last buffer received. */
u32 virtio_console_received(struct virtio_device *device, const char **text);

#endif
