#include "arch.h"
#include "kernel.h"
#include "virtio_irq.h"

/*
 * How a device's interrupts arrive: a message a queue (entry 0 is for configuration changes), one message for all
 * queues, or the line, whose cause the ISR tells (virtio 1.2 section 4.1.5.3).
 */

enum irq_mode irq_mode_asked(void)
{
	if (option_is("irq", "intx"))
		return IRQ_INTX;
	return option_is("irq", "msix-shared") ? IRQ_MSIX_SHARED : IRQ_MSIX;
}

const char *irq_mode_name(enum irq_mode mode)
{
	static const char *const names[] = {"msix", "msix-shared", "intx"};

	return names[mode];
}

static void all_queues(struct virtio_device *device)
{
	for (u16 q = 0; q < device->driver->queues; q++)
		device->driver->queue_interrupt(device, q);
}

static void config_changed(struct virtio_device *device)
{
	device->config_interrupts++;
	if (device->driver->config_interrupt != NULL)
		device->driver->config_interrupt(device);
}

static bool line(void *arg)
{
	struct virtio_device *device = arg;
	u8 cause = device->transport->isr(device);

	if (cause == 0)
		return false;
	device->interrupts++;
	if (cause & ISR_QUEUE)
		all_queues(device);
	if (cause & ISR_CONFIG)
		config_changed(device);
	return true;
}

static bool config_message(void *arg)
{
	struct virtio_device *device = arg;

	device->interrupts++;
	device->messages++;
	config_changed(device);
	return true;
}

static bool shared_message(void *arg)
{
	struct virtio_device *device = arg;

	device->interrupts++;
	device->messages++;
	all_queues(device);
	return true;
}

static bool queue_message(struct virtio_device *device, u16 queue)
{
	device->interrupts++;
	device->messages++;
	device->driver->queue_interrupt(device, queue);
	return true;
}

static bool queue_0_message(void *arg) { return queue_message(arg, 0); }
static bool queue_1_message(void *arg) { return queue_message(arg, 1); }
static bool queue_2_message(void *arg) { return queue_message(arg, 2); }
static const irq_handler queue_handlers[VIRTIO_QUEUES] = {queue_0_message, queue_1_message, queue_2_message};

u16 virtio_irq_vector(const struct virtio_device *device, u16 queue)
{
	if (device->mode == IRQ_INTX)
		return VIRTIO_NO_VECTOR;
	return device->mode == IRQ_MSIX_SHARED ? 1 : (u16)(1 + queue);
}

static bool open_line(struct virtio_device *device)
{
	struct pci_device *pci = device->pci;

	if (msix_open(pci))
		msix_enable(pci, false);
	if (pci->pin == 0)
		return false;
	device->intx = arch_pci_irq(pci->function >> 3 & 31, pci->pin, pci->line);
	if (device->intx < 0)
		return false;
	pci_command(pci, 0, PCI_COMMAND_NO_INTX);
	irq_register(device->intx, device->driver->name, line, device);
	return true;
}

static bool open_messages(struct virtio_device *device, enum irq_mode mode)
{
	struct pci_device *pci = device->pci;
	u32 vectors = mode == IRQ_MSIX_SHARED ? 2 : 1u + device->driver->queues;

	if (!msix_open(pci))
		return false;
	for (u32 v = 0; v < vectors; v++)
		if (!msix_assign(pci, v))
			return false;
	msix_enable(pci, true);
	if (!device->transport->config_vector(device, 0))
		return false;
	irq_register(pci->msix->irq[0], device->driver->name, config_message, device);
	for (u32 v = 1; v < vectors; v++)
		irq_register(pci->msix->irq[v], device->driver->name,
		             mode == IRQ_MSIX_SHARED ? shared_message : queue_handlers[v - 1], device);
	return true;
}

bool virtio_irq_open(struct virtio_device *device, enum irq_mode mode)
{
	device->mode = mode;
	device->interrupts = device->messages = device->config_interrupts = 0;
	return mode == IRQ_INTX ? open_line(device) : open_messages(device, mode);
}

void virtio_irq_close(struct virtio_device *device)
{
	struct msix *m = device->pci->msix;

	if (device->intx >= 0)
		irq_unregister(device->intx, line, device);
	device->intx = -1;
	if (m == NULL)
		return;
	msix_enable(device->pci, false);
	for (u32 v = 0; v < m->vectors; v++) {
		if (m->irq[v] < 0)
			continue;
		msix_mask(device->pci, v, true);
		irq_unregister(m->irq[v], config_message, device);
		irq_unregister(m->irq[v], shared_message, device);
		for (u32 q = 0; q < VIRTIO_QUEUES; q++)
			irq_unregister(m->irq[v], queue_handlers[q], device);
	}
}
