#include "arch.h"
#include "byteorder.h"
#include "hostile.h"
#include "string.h"

/* Cases 23 to 28: DMA and messages where there is no RAM, interrupts which nobody takes, and PCI's own registers. */

enum { ENTRY = 16, ENTRY_WORDS = 3, MESSAGE_AT = 0x800 };

static u16 vector_of(const struct hostile *h)
{
	return h->device->mode == IRQ_MSIX_SHARED ? 1 : (u16)(1 + h->queue);
}

static void offer_one(struct hostile *h)
{
	struct piece p[3];
	u32 data, count = hostile_request(h, p, &data);

	hostile_offer(h, p, count);
	hostile_kick(h);
}

/* Registers of its own, of the interrupt controller, of the bridge, and ROM: no byte is written, no register called. */
static const char *device_memory(struct hostile *h)
{
	static const u64 others[] = {0xfee00000, 0xdff00000, 0xfffff000};
	const struct pci_device *pci = h->device->pci;

	for (u32 i = 0; i < COUNT(others); i++)
		TRY(hostile_data_at(h, others[i]));
	for (int bar = 0; bar < 6; bar++) {
		if (pci->bar[bar].size == 0 || pci->bar[bar].io)
			continue;
		u8 status = h->device->transport->status(h->device);
		TRY(hostile_data_at(h, pci->bar[bar].address));
		EXPECT("status", h->device->transport->status(h->device), status);
	}
	return NULL;
}

/* A message is a write of four bytes to wherever it is sent (PCI 3.0 section 6.8.2); where nothing takes it, it is lost. */
static const char *messages_astray(struct hostile *h)
{
	struct virtio_device *device = h->device;
	u32 saved[ENTRY_WORDS], entry = ENTRY * vector_of(h);
	const struct region *table;

	if (device->mode == IRQ_INTX)
		return SKIP("no messages in this mode");
	table = &device->pci->msix->table;
	for (u32 i = 0; i < ENTRY_WORDS; i++)
		saved[i] = region_read(table, entry + 4 * i, 4);

	volatile u32 *mailbox = (volatile u32 *)(h->room + MESSAGE_AT);
	region_write(table, entry, 4, (u32)(uintptr_t)mailbox);
	region_write(table, entry + 4, 4, 0);
	region_write(table, entry + 8, 4, 0x12345678);
	u32 interrupts = device->interrupts;
	const char *why = hostile_works(h);
	u32 got = le32(mailbox[0]), behind = mailbox[1];

	u32 nowhere[] = {0xdffffffc, (u32)device->pci->msix->table.bus_address};
	for (u32 i = 0; i < COUNT(nowhere) && why == NULL; i++) {
		region_write(table, entry, 4, nowhere[i]);
		why = hostile_works(h);
	}
	region_write(table, entry + 4, 4, 0xf0);
	if (why == NULL)
		why = hostile_works(h);
	region_write(&device->pci->msix->pending, 0, 4, 0xffffffff);
	u32 pending = region_read(&device->pci->msix->pending, 0, 4);
	for (u32 i = 0; i < ENTRY_WORDS; i++)
		region_write(table, entry + 4 * i, 4, saved[i]);
	TRY(why);
	EXPECT("message in RAM", got, 0x12345678);
	EXPECT("word behind it", behind, 0);
	EXPECT("interrupts", device->interrupts, interrupts);
	EXPECT("pending bits after a write to them", pending, 0);
	TRY(hostile_works(h));
	sleep_us(10);
	EXPECT("interrupts of a message to where it belongs", device->interrupts, interrupts + 1);
	return NULL;
}

/* Sections 4.1.5.3.1 of virtio and 6.8.3.4 of PCI: without a vector nothing is sent, behind a mask it waits. */
static const char *vectors(struct hostile *h)
{
	struct virtio_device *device = h->device;
	u16 vector = vector_of(h);

	if (device->mode == IRQ_INTX)
		return SKIP("no messages in this mode");
	u32 interrupts = device->interrupts;
	h->layout->queue_vector(h, VIRTIO_NO_VECTOR);
	TRY(hostile_works(h));
	EXPECT("interrupts without a vector", device->interrupts, interrupts);
	h->layout->queue_vector(h, vector);
	msix_mask(device->pci, vector, true);
	TRY(hostile_works(h));
	sleep_us(10);
	EXPECT("interrupts behind a mask", device->interrupts, interrupts);
	EXPECT("pending", msix_pending(device->pci, vector), 1);
	msix_mask(device->pci, vector, false);
	sleep_us(10);
	EXPECT("interrupts when the mask has gone", device->interrupts, interrupts + 1);
	msix_mask_function(device->pci, true);
	TRY(hostile_works(h));
	msix_mask_function(device->pci, false);
	sleep_us(10);
	EXPECT("interrupts when the function's mask has gone", device->interrupts, interrupts + 2);
	return NULL;
}

/* Nobody reads the ISR: the line stays, requests go on, and one read ends it. */
static const char *never_acknowledged(struct hostile *h)
{
	struct virtio_device *device = h->device;
	bool done = true;

	if (device->mode != IRQ_INTX)
		return SKIP("messages need no acknowledgement");
	u32 flags = irq_save();
	for (u32 i = 0; i < 2; i++) {
		offer_one(h);
		done = done && hostile_poll(h);
	}
	u16 shown = (u16)pci_read(device->pci, PCI_STATUS, 2);
	u8 first = device->transport->isr(device), second = device->transport->isr(device);
	u16 after = (u16)pci_read(device->pci, PCI_STATUS, 2);
	irq_restore(flags);
	EXPECT("requests done", done, 1);
	EXPECT("interrupt status", shown & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
	EXPECT("ISR", first, ISR_QUEUE);
	EXPECT("ISR read again", second, 0);
	EXPECT("interrupt status afterwards", after & PCI_STATUS_INTERRUPT, 0);
	return NULL;
}

/* RAM is in front of a BAR which is moved over it, and comes to no harm; nor does the device, once it is home. */
static const char *moved_bars(struct hostile *h)
{
	struct pci_device *pci = h->device->pci;
	u32 *word = (u32 *)(h->room + 2 * PAGE_SIZE);

	for (int bar = 0; bar < 6; bar++) {
		struct pci_bar *b = &pci->bar[bar];
		u64 home = b->address;
		u64 places[] = {0, (uintptr_t)word, 0xfffff000, pci->bar[0].address, 0xfffffff0};
		if (b->size == 0)
			continue;
		for (u32 i = 0; i < COUNT(places); i++) {
			u32 flags = irq_save();
			*word = 0xba20ba20 + i;
			pci_bar_place(pci, bar, places[i] & ~(b->size - 1));
			u32 seen = *(volatile u32 *)word;
			*(volatile u32 *)word = ~seen;
			u32 again = *(volatile u32 *)word;
			pci_bar_place(pci, bar, home);
			irq_restore(flags);
			EXPECT("word of RAM", seen, 0xba20ba20 + i);
			EXPECT("the same, written", again, ~seen);
		}
	}
	return hostile_works(h);
}

/* Decoding is off while a request is on its way: it is done by DMA all the same. */
static const char *deaf_in_flight(struct hostile *h)
{
	u32 flags = irq_save();

	offer_one(h);
	pci_command(h->device->pci, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	bool done = hostile_poll(h);
	pci_command(h->device->pci, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 0);
	irq_restore(flags);
	EXPECT("done", done, 1);
	return hostile_works(h);
}

/* Without bus mastering it can neither read its ring nor write to it (PCI 3.0 section 6.2.2). */
static const char *no_master(struct hostile *h)
{
	pci_command(h->device->pci, 0, PCI_COMMAND_MASTER);
	offer_one(h);
	const char *why = hostile_expect_nothing(h);
	u32 interrupts = h->device->interrupts;
	pci_command(h->device->pci, PCI_COMMAND_MASTER, 0);
	TRY(why);
	EXPECT("messages and lines", interrupts, h->device->interrupts);
	return NULL;
}

static bool writable(u32 at)
{
	return (at >= PCI_BAR0 && at < PCI_BAR0 + 24) || at == PCI_COMMAND || at >= 0x3c || at == 0x30 || at == 0x0c;
}

/* Every register all ones at every width, and back, the command register last. */
static const char *all_ones(struct hostile *h)
{
	const struct pci_device *pci = h->device->pci;
	u32 saved[64], wrong = 0, flags;

	h->device->transport->reset(h->device);
	flags = irq_save();
	for (u32 at = 0; at < 256; at += 4)
		saved[at / 4] = pci_read(pci, at, 4);
	for (u32 width = 1; width <= 4; width *= 2) {
		for (u32 at = 0; at < 256; at += width)
			pci_write(pci, at, width, 0xffffffff);
		for (u32 at = 0; at < 0x40; at += 4)
			if (!writable(at) && pci_read(pci, at, 4) != saved[at / 4])
				wrong = at + 1;
	}
	for (u32 at = 252; at >= 8; at -= 4)
		pci_write(pci, at, 4, saved[at / 4]);
	pci_write(pci, PCI_COMMAND, 2, saved[1] & 0xffff);
	irq_restore(flags);
	if (wrong != 0)
		return failure("the register at %x is not read-only", wrong - 1);
	for (u32 at = 0; at < 0x40; at += 4)
		if (at != PCI_COMMAND)
			EXPECT("register put back", pci_read(pci, at, 4), saved[at / 4]);
	return NULL;
}

static const char *absent_functions(struct hostile *h)
{
	static const u32 absent[] = {0xffff, 0x0100, 0x00ff};

	(void)h;
	for (u32 i = 0; i < COUNT(absent); i++) {
		arch_pci_write(absent[i], PCI_COMMAND, 2, 7);
		arch_pci_write(absent[i], PCI_BAR0, 4, 0xffffffff);
		EXPECT("vendor and device", arch_pci_read(absent[i], PCI_VENDOR, 4), 0xffffffff);
		EXPECT("a byte", arch_pci_read(absent[i], 255, 1), 0xff);
	}
	return NULL;
}

static const struct hostile_case cases[] = {
	{23, "buffers which are registers or ROM", device_memory},
	{24, "messages gone astray", messages_astray},
	{25, "no vector, and masks", vectors},
	{26, "a line which nobody acknowledges", never_acknowledged},
	{27, "BARs moved over RAM, over each other and to the end", moved_bars},
	{27, "decoding off with a request in flight", deaf_in_flight},
	{28, "no bus mastering", no_master},
	{28, "all ones to every register", all_ones},
	{28, "functions which are not there", absent_functions},
};
const struct hostile_list hostile_functions = {cases, COUNT(cases)};
