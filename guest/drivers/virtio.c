#include "arch.h"
#include "kernel.h"
#include "virtio.h"
#include "virtio_irq.h"

/* Finding devices and bringing them up (virtio 1.2 section 3.1.1). No layout is known here. */

struct virtio_device virtio_devices[VIRTIO_MAX];
int virtio_count;

extern const struct virtio_driver virtio_blk_driver, virtio_console_driver, virtio_rng_driver, virtio_net_driver;
static const struct virtio_driver *const drivers[] = {
	&virtio_blk_driver, &virtio_console_driver, &virtio_rng_driver, &virtio_net_driver,
};

static const struct virtio_driver *driver_for(u16 type)
{
	for (u32 i = 0; i < COUNT(drivers); i++)
		if (drivers[i]->type == type)
			return drivers[i];
	return NULL;
}

const char *virtio_type_name(u16 type)
{
	return driver_for(type) != NULL ? driver_for(type)->name : "unknown";
}

struct virtio_device *virtio_find(u16 type)
{
	for (int i = 0; i < virtio_count; i++)
		if (virtio_devices[i].type == type && virtio_devices[i].running)
			return &virtio_devices[i];
	return NULL;
}

void virtio_kick(struct virtio_device *device, u16 queue)
{
	if (virtqueue_should_notify(&device->queue[queue]))
		device->transport->notify(device, queue);
}

/* What is not taken unless the command line asks for it. */
static const u64 features_on_demand = FEATURE(F_RING_PACKED) | FEATURE(F_IN_ORDER) | FEATURE(F_NOTIFICATION_DATA);

u32 virtio_feature_words(const struct virtio_device *device)
{
	return features_in_both(device->driver->features, device->features_wanted).half[1] != 0 ? 4 : 2;
}

static u64 features_asked(void)
{
	return (option_is("ring", "packed") ? FEATURE(F_RING_PACKED) : 0) |
	       (option_present("in-order") ? FEATURE(F_IN_ORDER) : 0) |
	       (option_present("notification-data") ? FEATURE(F_NOTIFICATION_DATA) : 0);
}

/* Everything but what nobody asked for. */
static struct features features_wanted(const struct virtio_driver *driver)
{
	struct features wanted = {{~features_on_demand | features_asked(), ~0ull}};

	if (driver != NULL)
		for (int i = 0; i < 2; i++)
			wanted.half[i] &= ~driver->on_demand.half[i];
	return wanted;
}

bool virtio_ring_as_asked(const struct virtio_device *device)
{
	const char *name = device->queue[0].format->name;
	u64 extras = features_asked() & ~FEATURE(F_RING_PACKED);

	if ((option_is("ring", "packed") || option_is("ring", "split")) && !option_is("ring", name))
		return false;
	return (device->features.half[0] & extras) == extras;
}

static bool bring_up(struct virtio_device *device, enum irq_mode mode)
{
	const struct virtio_transport *t = device->transport;
	const struct virtio_driver *driver = device->driver;
	u16 limit = device->queue_limit != 0 ? device->queue_limit : driver->queue_limit;
	struct features known = driver->features;

	t->reset(device);
	t->set_status(device, STATUS_ACKNOWLEDGE);
	t->set_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	known.half[0] |= FEATURE(F_INDIRECT) | FEATURE(F_EVENT_INDEX) | features_on_demand;
	known = features_in_both(known, device->features_wanted);
	device->features_offered = t->offered(device);
	if (!t->accept(device, features_in_both(known, device->features_offered)))
		return false;
	if (!virtio_irq_open(device, mode))
		return false;
	for (u16 q = 0; q < driver->queues; q++)
		if (!t->queue_start(device, q, limit, virtio_irq_vector(device, q)))
			return false;
	device->running = true;
	if (!driver->start(device))
		return false;
	t->set_status(device, t->status(device) | STATUS_DRIVER_OK);
	device->setup_accesses = device->accesses;
	for (u16 q = 0; q < driver->queues; q++)
		virtio_kick(device, q);
	return true;
}

void virtio_stop(struct virtio_device *device)
{
	u32 flags = irq_save();

	device->transport->reset(device);
	virtio_irq_close(device);
	for (u16 q = 0; q < VIRTIO_QUEUES; q++)
		virtqueue_release(&device->queue[q]);
	device->running = false;
	irq_restore(flags);
}

/* From the mode asked for down to the line, which every device has: per-queue messages, one for all queues, INTx. */
bool virtio_start(struct virtio_device *device, enum irq_mode mode)
{
	for (; mode <= IRQ_INTX; mode++) {
		device->accesses = 0;
		if (bring_up(device, mode))
			return true;
		virtio_stop(device);
	}
	device->transport->set_status(device, STATUS_FAILED);
	return false;
}

void virtio_init(void)
{
	for (int i = 0; i < pci_count && virtio_count < VIRTIO_MAX; i++) {
		struct virtio_device *device = &virtio_devices[virtio_count];

		*device = (struct virtio_device){.pci = &pci_devices[i], .number = virtio_count, .intx = -1};
		device->queue_limit = (u16)option_number("ring");
		device->type = virtio_pci_type(device->pci);
		if (device->type == 0)
			continue;
		virtio_count++;
		device->driver = driver_for(device->type);
		device->features_wanted = features_wanted(device->driver);
		if (!virtio_pci_detect(device))
			kprintf("virtio: %s: no layout of its registers is in reach\n", pci_name(device->pci));
		else if (device->driver != NULL && !virtio_start(device, irq_mode_asked()))
			kprintf("virtio: %s: the device did not come up\n", pci_name(device->pci));
	}
}

static void print_queue(const struct virtio_device *device, const struct virtqueue *q)
{
	kprintf("    queue %u: %u entries, %s, %s, descriptors %p driver's %p device's %p", q->index, q->size,
	        q->format->name, q->order->name, q->descriptor_area, q->driver_area, q->device_area);
	if (q->vector != VIRTIO_NO_VECTOR)
		kprintf(", vector %u to interrupt %d", q->vector, device->pci->msix->irq[q->vector]);
	kprintf("\n");
}

static void print_features(const char *what, const struct features *set)
{
	kprintf("%s ", what);
	if (set->half[1] != 0)
		kprintf("%llx:", set->half[1]);
	kprintf("%016llx", set->half[0]);
}

void virtio_print(const struct virtio_device *device)
{
	kprintf("  %s virtio-%s", pci_name(device->pci), virtio_type_name(device->type));
	if (device->transport == NULL) {
		kprintf(": no layout in reach\n");
		return;
	}
	kprintf(": layout %s%s\n", device->transport->layout, device->running ? "" : ", not running");
	for (int i = 0; i < VIRTIO_REGIONS; i++) {
		const struct virtio_region *r = &device->regions[i];
		if (r->name != NULL && r->region.ops != NULL)
			kprintf("    %-6s BAR%d+%04x, %s %08llx, length %x\n", r->name, r->bar, r->offset, r->region.ops->kind,
			        r->region.bus_address, r->region.length);
	}
	if (!device->running)
		return;
	print_features("    features offered", &device->features_offered);
	print_features(", in force", &device->features);
	kprintf("\n");
	kprintf("    interrupts by %s", irq_mode_name(device->mode));
	if (device->mode == IRQ_INTX)
		kprintf(", line to interrupt %d", device->intx);
	else
		kprintf(", %u vectors in the table", device->pci->msix->table_size);
	kprintf("; set-up took %u register accesses\n", device->setup_accesses);
	for (u16 q = 0; q < device->driver->queues; q++)
		print_queue(device, &device->queue[q]);
}
