#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "virtio_blk.h"
#include "virtio_pci_legacy.h"

/* The legacy layout (virtio 1.2 section 4.1.4.10), on a disk: its first eight bytes of configuration are the capacity. */

static struct virtio_device *device;

static bool found(void)
{
	for (int i = 0; i < virtio_count; i++) {
		device = &virtio_devices[i];
		if (device->transport == &virtio_pci_legacy && device->type == VIRTIO_BLOCK && device->running)
			return true;
	}
	return false;
}

static u32 get(u32 offset, u32 width) { return region_read(&device->regions[0].region, offset, width); }
static void set(u32 offset, u32 width, u32 value) { region_write(&device->regions[0].region, offset, width, value); }

static void bytes_at(u32 offset, u8 bytes[8])
{
	for (u32 i = 0; i < 8; i++)
		bytes[i] = (u8)get(offset + i, 1);
}

/* Turning MSI-X on and off moves the configuration by four bytes and back, at once. */
static const char *config_moves(void)
{
	u8 with[8], without[8], again[8];
	u64 capacity;
	bool was;

	if (!found())
		return SKIP("no legacy disk");
	if (!msix_open(device->pci))
		return SKIP("no MSI-X");
	was = device->pci->msix->enabled;
	capacity = ((struct virtio_blk *)device->driver_data)->capacity;
	msix_enable(device->pci, true);
	bytes_at(LEGACY_CONFIG_WITH_MSIX, with);
	msix_enable(device->pci, false);
	bytes_at(LEGACY_CONFIG_WITHOUT_MSIX, without);
	msix_enable(device->pci, true);
	bytes_at(LEGACY_CONFIG_WITH_MSIX, again);
	msix_enable(device->pci, was);
	EXPECT("at 20 as at 24", memcmp(with, without, 8), 0);
	EXPECT("at 24 again", memcmp(with, again, 8), 0);
	EXPECT("capacity in the guest's byte order", memcmp(with, &capacity, 8), 0);
	return NULL;
}

/* The same within one reading: each byte is where MSI-X puts it at that moment. */
static const char *config_moves_within(void)
{
	u64 capacity;
	u8 bytes[8];
	bool was;

	if (!found())
		return SKIP("no legacy disk");
	if (!msix_open(device->pci))
		return SKIP("no MSI-X");
	was = device->pci->msix->enabled;
	capacity = ((struct virtio_blk *)device->driver_data)->capacity;
	for (u32 i = 0; i < 8; i++) {
		msix_enable(device->pci, i & 1);
		bytes[i] = (u8)get((i & 1 ? LEGACY_CONFIG_WITH_MSIX : LEGACY_CONFIG_WITHOUT_MSIX) + i, 1);
	}
	msix_enable(device->pci, was);
	EXPECT("capacity", memcmp(bytes, &capacity, 8), 0);
	return NULL;
}

static const char *page_number(void)
{
	u32 before, after;
	bool up;

	if (!found())
		return SKIP("no legacy disk");
	set(LEGACY_QUEUE_SELECT, 2, 0);
	before = get(LEGACY_QUEUE_PFN, 4);
	u32 expected = (u32)(uintptr_t)device->queue[0].descriptor_area / 4096;
	device->transport->reset(device);
	set(LEGACY_QUEUE_SELECT, 2, 0);
	after = get(LEGACY_QUEUE_PFN, 4);
	virtio_stop(device);
	up = virtio_start(device, irq_mode_asked());
	EXPECT("page number of the ring", before, expected);
	EXPECT("page number after reset", after, 0);
	return up ? NULL : "it did not come up again";
}

/* The ring is in the guest's byte order: the first available entry's index, as the bytes are in memory. */
static const char *ring_order(void)
{
	const u8 *index;
	u16 native;

	if (!found())
		return SKIP("no legacy disk");
	index = (const u8 *)&device->queue[0].split.avail->index;
	memcpy(&native, index, 2);
	EXPECT("available index in memory", native, device->queue[0].split.avail_index);
	EXPECT("used ring's place modulo 4096", (uintptr_t)device->queue[0].device_area & 4095, 0);
	return NULL;
}

static const struct check checks[] = {
	{"legacy: MSI-X moves the configuration by four bytes and back", config_moves},
	{"legacy: it does so between two bytes of one reading", config_moves_within},
	{"legacy: the ring's page number reads back, and is 0 after reset", page_number},
	{"legacy: the ring is in the guest's byte order, its used part on a page", ring_order},
};
const struct check_list checks_legacy = {checks, COUNT(checks)};
