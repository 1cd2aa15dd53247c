#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "virtio_blk.h"
#include "virtio_pci_overlay.h"

/* The overlay layout (docs/overlay.md), looked at through BAR0 and BAR1 side by side with the driver stopped. */

static struct virtio_device *device;
static struct region bar0, bar1, config;
static u32 uncounted;

static bool find(void)
{
	for (int i = 0; i < virtio_count; i++) {
		device = &virtio_devices[i];
		if (device->type == VIRTIO_BLOCK && device->driver != NULL && device->transport != NULL &&
		    device->transport->queue_start == virtio_pci_overlay_bar0.queue_start)
			return true;
	}
	return false;
}

static struct region open_bar(u32 field)
{
	const struct pci_device *pci = device->pci;
	u32 bar = pci_read(pci, virtio_pci_overlay_capability(pci) + field, 1);
	struct region region = {.ops = NULL};

	if (bar <= 5)
		region = pci_region(pci, (int)bar, 0, (u32)pci->bar[bar].size);
	region.accesses = &uncounted;
	return region;
}

/* Runs a check on a device which has just been reset, and brings it up again. */
static const char *on_reset_device(bool both, const char *(*run)(void))
{
	const char *result;

	if (!find())
		return SKIP("no disk with the overlay layout");
	bar0 = open_bar(OVERLAY_CAP_PORTS);
	bar1 = open_bar(OVERLAY_CAP_MIRROR);
	config = device->regions[OVERLAY_CONFIG].region;
	config.accesses = &uncounted;
	if (both && (bar0.ops == NULL || bar1.ops == NULL))
		return SKIP("one of the two BARs is out of reach");
	virtio_stop(device);
	result = run();
	if (!virtio_start(device, irq_mode_asked()) && result == NULL)
		result = "it did not come up again";
	return result;
}

static u64 capacity_at(const struct region *region, u32 offset)
{
	union {
		u8 byte[8];
		u64 value;
	} capacity;

	for (u32 i = 0; i < 8; i++)
		capacity.byte[i] = (u8)region_read(region, offset + i, 1);
	return capacity.value;
}

static void latch(const struct region *through)
{
	region_write(through, OVERLAY_GUEST_FEATURES, 4, OVERLAY_SEPARATE_CONFIG);
}

/* D3 and D17: over BAR0 the configuration moves with MSI-X, at each access anew, until the latch is set. */
static const char *do_config_moves(void)
{
	u64 capacity = capacity_at(&config, 0), at[4], left;
	u32 vectors, selects;
	u8 bytes[8];

	if (!msix_open(device->pci))
		return SKIP("no MSI-X");
	for (int i = 0; i < 4; i++) {
		msix_enable(device->pci, i & 1);
		at[i] = capacity_at(&bar0, i & 1 ? 24 : 20);
	}
	for (u32 i = 0; i < 8; i++) { /* and within one reading */
		msix_enable(device->pci, i & 1);
		bytes[i] = (u8)region_read(&bar0, (i & 1 ? 24 : 20) + i, 1);
	}
	latch(&bar0);
	vectors = region_read(&bar0, OVERLAY_CONFIG_VECTOR, 4);
	msix_enable(device->pci, false);
	left = region_read(&bar0, OVERLAY_CONFIG_VECTOR, 4);
	selects = region_read(&bar0, OVERLAY_HOST_SELECT, 4);
	for (int i = 0; i < 4; i++)
		EXPECT("capacity over BAR0", at[i], capacity);
	EXPECT("capacity over BAR0, MSI-X changing from byte to byte", memcmp(bytes, &capacity, 8), 0);
	EXPECT("capacity that the driver knows", ((struct virtio_blk *)device->driver_data)->capacity, capacity);
	EXPECT("vectors in a latched BAR0", vectors, 0xffffffff);
	EXPECT("vectors in a latched BAR0 without MSI-X", left, 0xffffffff);
	EXPECT("select in a latched BAR0", selects, 0);
	return NULL;
}
static const char *config_moves(void) { return on_reset_device(true, do_config_moves); }

/* D2 and D21: set by acceptance through either BAR, cleared by reset and by nothing else. */
static const char *do_latch(void)
{
	u64 capacity = capacity_at(&config, 0), before, latched, withdrawn, after;

	msix_open(device->pci);
	if (device->pci->msix != NULL)
		msix_enable(device->pci, false);
	before = capacity_at(&bar0, 20);
	latch(&bar1);
	latched = capacity_at(&bar0, 20);
	region_write(&bar0, OVERLAY_GUEST_FEATURES, 4, 0);
	withdrawn = capacity_at(&bar0, 20);
	region_write(&bar1, OVERLAY_STATUS, 1, 0);
	after = capacity_at(&bar0, 20);
	EXPECT("capacity over BAR0 before", before, capacity);
	if (latched == capacity || withdrawn == capacity)
		return "the configuration is still over BAR0";
	EXPECT("capacity over BAR0 after a reset", after, capacity);
	return NULL;
}
static const char *latch_holds(void) { return on_reset_device(true, do_latch); }

/* The mirror is never overlaid, and what one BAR shows the other does. */
static const char *do_mirror(void)
{
	region_write(&bar1, OVERLAY_HOST_SELECT, 4, 3);
	EXPECT("select in the mirror before the latch", region_read(&bar1, OVERLAY_HOST_SELECT, 4), 3);
	region_write(&bar0, OVERLAY_STATUS, 1, STATUS_ACKNOWLEDGE);
	EXPECT("status through BAR1", region_read(&bar1, OVERLAY_STATUS, 1), STATUS_ACKNOWLEDGE);
	latch(&bar1);
	for (u32 at = 0; at < OVERLAY_LENGTH; at += 2)
		if (at != 18) /* reading the ISR would clear it */
			EXPECT("BAR0", region_read(&bar0, at, 2), region_read(&bar1, at, 2));
	return NULL;
}
static const char *mirror(void) { return on_reset_device(true, do_mirror); }

/* D9: words of features are reached by the selects: one beyond bit 31, one beyond 63, and none beyond the fourth. */
static const char *do_words(void)
{
	const struct region *f = &device->regions[OVERLAY_FILE].region;

	latch(f);
	region_write(f, OVERLAY_HOST_SELECT, 4, 1);
	EXPECT("RING_SIZE, bit 44", region_read(f, OVERLAY_HOST_FEATURES, 4) & OVERLAY_RING_SIZE, OVERLAY_RING_SIZE);
	region_write(f, OVERLAY_HOST_SELECT, 4, 3);
	EXPECT("RING_ALIGN, bit 127", region_read(f, OVERLAY_HOST_FEATURES, 4) & OVERLAY_RING_ALIGN, OVERLAY_RING_ALIGN);
	region_write(f, OVERLAY_HOST_SELECT, 4, 4);
	EXPECT("a fifth word", region_read(f, OVERLAY_HOST_FEATURES, 4), 0);
	return NULL;
}
static const char *words(void) { return on_reset_device(false, do_words); }

/* Each choice is behind its own feature: without it the register does not move, with it the ring does. */
static const char *do_choices(void)
{
	const struct region *f = &device->regions[OVERLAY_FILE].region;
	u16 largest;

	latch(f);
	region_write(f, OVERLAY_QUEUE_SEL, 2, 0);
	largest = (u16)region_read(f, OVERLAY_QUEUE_SIZE, 2);
	region_write(f, OVERLAY_QUEUE_NUM, 2, 8);
	EXPECT("size without RING_SIZE", region_read(f, OVERLAY_QUEUE_NUM, 2), largest);
	region_write(f, OVERLAY_QUEUE_ALIGN, 2, 16);
	EXPECT("alignment without RING_ALIGN", region_read(f, OVERLAY_QUEUE_ALIGN, 2), 4096);
	region_write(f, OVERLAY_GUEST_SELECT, 4, 1);
	region_write(f, OVERLAY_GUEST_FEATURES, 4, OVERLAY_RING_SIZE);
	region_write(f, OVERLAY_QUEUE_NUM, 2, 8);
	region_write(f, OVERLAY_QUEUE_ALIGN, 2, 16);
	EXPECT("size with RING_SIZE", region_read(f, OVERLAY_QUEUE_NUM, 2), 8);
	EXPECT("alignment with RING_SIZE alone", region_read(f, OVERLAY_QUEUE_ALIGN, 2), 4096);
	region_write(f, OVERLAY_GUEST_SELECT, 4, 3);
	region_write(f, OVERLAY_GUEST_FEATURES, 4, OVERLAY_RING_ALIGN);
	region_write(f, OVERLAY_QUEUE_ALIGN, 2, 16);
	EXPECT("alignment with RING_ALIGN", region_read(f, OVERLAY_QUEUE_ALIGN, 2), 16);
	return NULL;
}
static const char *choices(void) { return on_reset_device(false, do_choices); }

/* D12: even in units of 16 bytes this is 256 TiB above the ring which is there. */
static void place(struct virtio_device *disk, bool out)
{
	overlay_devices[disk->number].page_high = out ? 0x1000 : 0;
}

static const char *high_ring(void)
{
	if (!find())
		return SKIP("no disk with the overlay layout");
	return ring_out_of_reach(device, place);
}

static const struct check checks[] = {
	{"overlay: MSI-X moves the configuration over BAR0 by four bytes and back, until the latch", config_moves},
	{"overlay: the latch is set through either BAR and cleared by a reset alone", latch_holds},
	{"overlay: BAR1 is never overlaid and mirrors BAR0", mirror},
	{"overlay: features beyond bit 31 and bit 63 are offered", words},
	{"overlay: ring size and alignment each have a feature of their own", choices},
	{"overlay: a ring above 16 TiB is not taken for the one below", high_ring},
};
const struct check_list checks_overlay = {checks, COUNT(checks)};
