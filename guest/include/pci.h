#ifndef PCI_H
#define PCI_H

#include "region.h"
#include "types.h"

/* Configuration space header (PCI 3.0 section 6.1). */
enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x08, /* 32 bits: class code above the revision */
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM_VENDOR = 0x2c,
	PCI_SUBSYSTEM = 0x2e,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,

	PCI_COMMAND_IO = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_MASTER = 1 << 2,
	PCI_COMMAND_NO_INTX = 1 << 10,
	PCI_STATUS_INTERRUPT = 1 << 3,
	PCI_STATUS_CAPABILITIES = 1 << 4,

	PCI_CAP_VENDOR = 0x09,
	PCI_CAP_MSIX = 0x11,
};

struct pci_bar {
	bool io;
	bool wide;  /* a 64-bit memory BAR, which takes two registers */
	u64 address; /* on the bus; 0 while unassigned */
	u64 size;    /* 0: not implemented */
};

struct msix;

struct pci_device {
	u32 function; /* bus << 8 | device << 3 | function */
	u16 vendor, device, subsystem_vendor, subsystem;
	u8 revision, pin, line;
	u32 class_code;
	struct pci_bar bar[6];
	struct msix *msix; /* NULL until msix_open */
};

#define PCI_MAX 32
extern struct pci_device pci_devices[PCI_MAX];
extern int pci_count;

void pci_init(void);
void pci_print(void);
const char *pci_name(const struct pci_device *device); /* 00:04.0, until the next call */
u32 pci_read(const struct pci_device *device, u32 offset, u32 width);
void pci_write(const struct pci_device *device, u32 offset, u32 width, u32 value);
void pci_command(const struct pci_device *device, u32 set, u32 clear);

/* The next capability of that kind after `from` (0: the first); 0 when there is no more. */
u32 pci_capability(const struct pci_device *device, u8 id, u32 from);

/* The size which a BAR asks for, by the all-ones write; restores what was there. */
u64 pci_bar_size(const struct pci_device *device, int bar);
void pci_bar_place(struct pci_device *device, int bar, u64 address);
/* Part of a BAR; ops is NULL when it is not implemented, not assigned, too short or out of the processor's reach. */
struct region pci_region(const struct pci_device *device, int bar, u32 offset, u32 length);

/* MSI-X (PCI 3.0 section 6.8.2) */
#define MSIX_MAX 16
struct msix {
	u32 capability; /* its offset in configuration space */
	u32 vectors;    /* table size, as many of them as we care for */
	u32 table_size; /* as the device has it */
	bool enabled;
	struct region table;
	struct region pending;
	int irq[MSIX_MAX];
};

/* Finds and maps the table; false if the device has none in reach. All entries stay masked. */
bool msix_open(struct pci_device *device);
/* Points an entry at an interrupt of its own and unmasks it; false if no message is left. */
bool msix_assign(struct pci_device *device, u32 vector);
void msix_enable(struct pci_device *device, bool on);
void msix_mask(struct pci_device *device, u32 vector, bool masked);
void msix_mask_function(struct pci_device *device, bool masked);
bool msix_pending(struct pci_device *device, u32 vector);

#endif
