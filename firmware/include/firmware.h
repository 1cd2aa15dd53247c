// What the shared half (lib/) offers, and what each machine (pc/, e500/) gives it.
#pragma once
#include "types.h"

// --- given by the machine -------------------------------------------------

void debug_putc(char c);  // progress, one line a phase
void console_putc(char c);  // the serial port: one banner, and errors
void finish(uint32 status) __attribute__((noreturn));  // leave through the exit register
void stop(void) __attribute__((noreturn));  // wait for ever with interrupts off

// PCI configuration space of bus 0. reg is the byte offset, naturally aligned.
uint32 pci_read32(uint32 devfn, uint32 reg);
uint16 pci_read16(uint32 devfn, uint32 reg);
uint8 pci_read8(uint32 devfn, uint32 reg);
void pci_write32(uint32 devfn, uint32 reg, uint32 value);
void pci_write16(uint32 devfn, uint32 reg, uint16 value);
void pci_write8(uint32 devfn, uint32 reg, uint8 value);
// Where the processor sees a PCI memory address, or NULL if it cannot.
volatile void *pci_memory(uint64 address);
// The interrupt line of a function's pin (1 = INTA), as the board routes it.
uint8 pci_irq(uint32 devfn, uint32 pin);

// Little-endian device registers in memory.
uint8 mmio_read8(volatile void *address);
uint16 mmio_read16(volatile void *address);
uint32 mmio_read32(volatile void *address);
void mmio_write8(volatile void *address, uint8 value);
void mmio_write16(volatile void *address, uint16 value);
void mmio_write32(volatile void *address, uint32 value);
// Orders ring memory against ring memory, and against a doorbell.
void barrier(void);

// The fw_cfg registers: selector, data stream and DMA address.
void fwcfg_port_select(uint16 key);
void fwcfg_port_bytes(void *to, uint32 count);
void fwcfg_port_dma(uint32 descriptor);

// Is [start, start+length) free RAM that a kernel may be loaded into?
int ram_is_free(uint64 start, uint64 length);

// --- lib/string.c ---------------------------------------------------------

void *memset(void *to, int byte, unsigned count);
void *memcpy(void *to, const void *from, unsigned count);
void *memmove(void *to, const void *from, unsigned count);
int memcmp(const void *a, const void *b, unsigned count);
unsigned strlen(const char *s);
int strcmp(const char *a, const char *b);

// --- lib/print.c ----------------------------------------------------------
// %s, %c, %d, %u, %x (32 bits), %X (64 bits, hexadecimal); a width pads with zeros.

void debug(const char *format, ...);  // debug console only
void complain(const char *format, ...);  // serial port and debug console
void fail(const char *format, ...) __attribute__((noreturn));  // complain, then finish(1)

// --- lib/fwcfg.c ----------------------------------------------------------

struct blob {  // a stretch of one fw_cfg item
  uint16 key;
  uint32 offset;
  uint32 size;
  // reads it from elsewhere, if set; 0 when that fails
  int (*read)(uint32 offset, void *to, uint32 count);
};

int fwcfg_init(void);  // 0 if there is no fw_cfg
uint32 fwcfg_read_le32(uint16 key);
int fwcfg_find(const char *name, struct blob *blob);  // 0 if there is no such file
// Copies bytes [offset, offset+count) of the blob. The caller keeps inside blob->size.
// Fails the boot when they cannot be read.
void blob_read(const struct blob *blob, uint32 offset, void *to, uint32 count);

// --- lib/pci.c ------------------------------------------------------------

struct pci_window {
  uint64 next;  // first free address
  uint64 end;  // one past the last address
};

struct pci_windows {
  struct pci_window io, memory, memory64;
};

// Sizes every BAR on bus 0, places them all, and turns on decoding.
void pci_assign(struct pci_windows *windows);
// Finds the next function after *devfn (start with -1). 0 at the end.
int pci_next(int *devfn);

// --- lib/virtio_blk.c -----------------------------------------------------

int blk_find(void);  // brings up the first virtio disk; 0 if there is none
uint64 blk_capacity(void);  // in sectors of 512 bytes
int blk_read(uint64 sector, uint32 count, void *to);  // 0 when the device says no

// --- lib/elf.c ------------------------------------------------------------

struct elf_image {
  uint32 entry;  // physical
  uint32 end;  // one past the highest physical byte used
  int is_linux;  // a Linux kernel, by its notes
};

int elf_is(const uint8 *header);  // the magic number only
// Loads an ELF32 executable of this machine at its physical addresses.
// Returns NULL, or what is wrong with the file.
const char *elf_load(const struct blob *file, struct elf_image *image);
