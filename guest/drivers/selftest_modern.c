#include "arch.h"
#include "selftest.h"
#include "virtio_pci_modern.h"

/* Registers of the modern layout (virtio 1.2 section 4.1.4.3), looked at with the driver stopped. */

static struct virtio_device *device;
static const struct region *common;

static bool stopped(void)
{
	for (int i = 0; i < virtio_count; i++) {
		device = &virtio_devices[i];
		if (device->transport != &virtio_pci_modern || device->driver == NULL)
			continue;
		virtio_stop(device);
		common = &device->regions[COMMON].region;
		return true;
	}
	return false;
}

/* Runs a check on a device which has just been reset, and brings it up again. */
static const char *on_reset_device(const char *(*run)(void))
{
	const char *result;

	if (!stopped())
		return SKIP("no modern device");
	result = run();
	if (!virtio_start(device, irq_mode_asked()) && result == NULL)
		result = "it did not come up again";
	return result;
}

static u32 get(u32 field, u32 width) { return region_read(common, field, width); }
static void set(u32 field, u32 width, u32 value) { region_write(common, field, width, value); }

static const char *do_reset_values(void)
{
	EXPECT("status", get(DEVICE_STATUS, 1), 0);
	EXPECT("configuration vector", get(CONFIG_VECTOR, 2), VIRTIO_NO_VECTOR);
	for (u32 q = 0; q < get(NUM_QUEUES, 2); q++) {
		set(QUEUE_SELECT, 2, q);
		EXPECT("queue enabled", get(QUEUE_ENABLE, 2), 0);
		EXPECT("queue vector", get(QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	}
	return NULL;
}
static const char *reset_values(void) { return on_reset_device(do_reset_values); }

static const char *do_feature_words(void)
{
	set(DEVICE_FEATURE_SELECT, 4, 1);
	EXPECT("VERSION_1", get(DEVICE_FEATURE, 4) & 1, 1);
	set(DEVICE_FEATURE_SELECT, 4, 0x40000000);
	EXPECT("features of a word far beyond", get(DEVICE_FEATURE, 4), 0);
	return NULL;
}
static const char *feature_words(void) { return on_reset_device(do_feature_words); }

/* From reset to where queues may be set up (section 3.1.1), with no features but the one that must be. */
static void negotiate(void)
{
	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set(DRIVER_FEATURE_SELECT, 4, 1);
	set(DRIVER_FEATURE, 4, 1);
	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
}

static const char *do_features_ok(void)
{
	u32 low;

	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set(DEVICE_FEATURE_SELECT, 4, 0);
	low = get(DEVICE_FEATURE, 4) & (1u << F_EVENT_INDEX | 1u << F_INDIRECT);
	set(DRIVER_FEATURE_SELECT, 4, 0);
	set(DRIVER_FEATURE, 4, low);
	set(DRIVER_FEATURE_SELECT, 4, 1);
	set(DRIVER_FEATURE, 4, 1);
	EXPECT("accepted high word", get(DRIVER_FEATURE, 4), 1);
	set(DRIVER_FEATURE_SELECT, 4, 0);
	EXPECT("accepted low word", get(DRIVER_FEATURE, 4), low);
	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	EXPECT("status", get(DEVICE_STATUS, 1), STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return NULL;
}
static const char *features_ok(void) { return on_reset_device(do_features_ok); }

/* Section 2.2.2: a set with a bit that was never offered must not get FEATURES_OK. */
static const char *do_features_refused(void)
{
	u32 offered, unoffered;

	if (arch_is_qemu())
		return SKIP("QEMU lets unoffered bits pass");
	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set(DEVICE_FEATURE_SELECT, 4, 0);
	offered = get(DEVICE_FEATURE, 4);
	unoffered = ~offered & (offered + 1); /* the lowest clear bit */
	set(DRIVER_FEATURE_SELECT, 4, 1);
	set(DRIVER_FEATURE, 4, 1);
	set(DRIVER_FEATURE_SELECT, 4, 0);
	set(DRIVER_FEATURE, 4, unoffered);
	set(DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (get(DRIVER_FEATURE, 4) == unoffered)
		EXPECT("FEATURES_OK", get(DEVICE_STATUS, 1) & STATUS_FEATURES_OK, 0);
	return NULL;
}
static const char *features_refused(void) { return on_reset_device(do_features_refused); }

static const char *do_queue_sizes(void)
{
	u32 queues = get(NUM_QUEUES, 2);

	if (queues == 0)
		return "there are no queues";
	for (u32 q = 0; q < queues; q++) {
		set(QUEUE_SELECT, 2, q);
		u32 size = get(QUEUE_SIZE, 2);
		EXPECT("bits of the size, less one", size & (size - 1), 0);
		u32 end = get(QUEUE_NOTIFY_OFF, 2) * device->notify_multiplier + 2;
		if (size != 0 && end > device->regions[NOTIFY].region.length)
			return failure("queue %u is notified outside the structure", q);
	}
	set(QUEUE_SELECT, 2, queues + 1000);
	EXPECT("size of a queue that is not there", get(QUEUE_SIZE, 2), 0);
	return NULL;
}
static const char *queue_sizes(void) { return on_reset_device(do_queue_sizes); }

static const char *do_addresses(void)
{
	negotiate();
	set(QUEUE_SELECT, 2, 0);
	set(QUEUE_DESCRIPTORS, 4, 0x12345670);
	set(QUEUE_DESCRIPTORS + 4, 4, 0xa);
	set(QUEUE_DRIVER, 4, 0x2468);
	EXPECT("low half", get(QUEUE_DESCRIPTORS, 4), 0x12345670);
	EXPECT("high half", get(QUEUE_DESCRIPTORS + 4, 4), 0xa);
	set(QUEUE_DESCRIPTORS, 4, 0x1000);
	EXPECT("high half after a write to the low one", get(QUEUE_DESCRIPTORS + 4, 4), 0xa);
	EXPECT("the next field", get(QUEUE_DRIVER, 4), 0x2468);
	return NULL;
}
static const char *addresses(void) { return on_reset_device(do_addresses); }

static const char *do_vectors(void)
{
	if (device->pci->msix == NULL)
		return SKIP("no MSI-X");
	msix_enable(device->pci, true);
	negotiate();
	set(QUEUE_SELECT, 2, 0);
	set(QUEUE_VECTOR, 2, 1);
	u32 good = get(QUEUE_VECTOR, 2);
	set(QUEUE_VECTOR, 2, device->pci->msix->table_size);
	u32 bad = get(QUEUE_VECTOR, 2);
	msix_enable(device->pci, false);
	EXPECT("vector in the table", good, 1);
	EXPECT("vector beyond the table", bad, VIRTIO_NO_VECTOR);
	return NULL;
}
static const char *vectors(void) { return on_reset_device(do_vectors); }

/* Section 4.1.4.9: the window in configuration space shows the same registers. */
static const char *do_window(void)
{
	if (modern_devices[device->number].window_capability == 0)
		return "there is none";
	struct region window = modern_window_region(device, COMMON);

	set(DEVICE_FEATURE_SELECT, 4, 0);
	EXPECT("features", region_read(&window, DEVICE_FEATURE, 4), get(DEVICE_FEATURE, 4));
	EXPECT("queues", region_read(&window, NUM_QUEUES, 2), get(NUM_QUEUES, 2));
	region_write(&window, DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE);
	EXPECT("status written through it", get(DEVICE_STATUS, 1), STATUS_ACKNOWLEDGE);
	return NULL;
}
static const char *window(void) { return on_reset_device(do_window); }

static void place(struct virtio_device *disk, bool out)
{
	modern_devices[disk->number].address_high = out ? 0x1000 : 0; /* 2^44 bytes */
}

static const char *high_ring(void)
{
	if (arch_is_qemu())
		return SKIP("QEMU ends at a ring which it cannot reach");
	for (int i = 0; i < virtio_count; i++)
		if (virtio_devices[i].transport == &virtio_pci_modern && virtio_devices[i].type == VIRTIO_BLOCK)
			return ring_out_of_reach(&virtio_devices[i], place);
	return SKIP("no modern disk");
}

static const struct check checks[] = {
	{"modern: status, vectors and queues after reset", reset_values},
	{"modern: VERSION_1 is offered, words beyond the last are 0", feature_words},
	{"modern: accepted features read back, FEATURES_OK stays", features_ok},
	{"modern: a bit that was not offered is not accepted", features_refused},
	{"modern: queue sizes are powers of two, doorbells are inside", queue_sizes},
	{"modern: halves of a 64-bit field are written apart", addresses},
	{"modern: a vector beyond the table reads back as none", vectors},
	{"modern: the configuration space window shows the registers", window},
	{"modern: a ring above 16 TiB is not taken for the one below", high_ring},
};
const struct check_list checks_modern = {checks, COUNT(checks)};
