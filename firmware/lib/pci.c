// PCI bus 0: find the functions, size their BARs, place them in the board's
// windows and turn on decoding. PCI 3.0 section 6.2.5.1.
#include "firmware.h"
#include "pci.h"

#define HOST_BRIDGE 0  // its registers are the machine's own affair
#define MAX_BARS 256
#define PAGE 0x1000

struct bar {
  uint32 devfn;
  uint32 reg;
  uint64 size;
  int io;
  int wide;  // a 64-bit memory BAR: two registers
};

static struct bar bars[MAX_BARS];
static int bar_count;

int pci_next(int *devfn) {
  int next = *devfn + 1;
  while (next < 256) {
    // functions 1..7 exist only behind a multi-function function 0
    if (next % 8 == 1 && !(pci_read8(next - 1, PCI_HEADER_TYPE) & PCI_MULTI_FUNCTION)) {
      next += 7;
      continue;
    }
    uint16 vendor = pci_read16(next, PCI_VENDOR);
    if (vendor != 0xffff && vendor != 0) {
      *devfn = next;
      return 1;
    }
    next += next % 8 ? 1 : 8;  // no function 0: no device
  }
  return 0;
}

// Kept in the order of placing: I/O and 32-bit memory before 64-bit memory, which has
// somewhere else to go, and the large before the small, which leaves no holes.
static int goes_before(const struct bar *a, const struct bar *b) {
  if (a->wide != b->wide)
    return b->wide;
  return a->size > b->size;
}

static void keep(const struct bar *bar) {
  if (bar_count == MAX_BARS) {
    complain("more than %d BARs; %x.%x register %x stays off\n", MAX_BARS, bar->devfn >> 3, bar->devfn & 7, bar->reg);
    return;
  }
  int at = bar_count++;
  for (; at > 0 && goes_before(bar, &bars[at - 1]); at--)
    bars[at] = bars[at - 1];
  bars[at] = *bar;
}

// Write all ones, read back what stuck. Returns the number of registers used.
static int size_bar(uint32 devfn, uint32 reg) {
  struct bar bar = {.devfn = devfn, .reg = reg};
  pci_write32(devfn, reg, 0xffffffff);
  uint32 mask = pci_read32(devfn, reg);
  pci_write32(devfn, reg, 0);
  if (!mask)
    return 1;
  if (mask & PCI_BAR_IO) {
    bar.io = 1;
    bar.size = -((mask & 0xfffc) | 0xffff0000);  // the upper half may be wired to zero
    if (mask & 0xfffc)
      keep(&bar);
    return 1;
  }
  bar.wide = (mask & PCI_BAR_TYPE) == PCI_BAR_TYPE_64;
  uint64 sticky = 0xffffffff00000000ull | (mask & ~15u);
  if (bar.wide) {
    pci_write32(devfn, reg + 4, 0xffffffff);
    sticky = (uint64)pci_read32(devfn, reg + 4) << 32 | (mask & ~15u);
    pci_write32(devfn, reg + 4, 0);
  }
  bar.size = -sticky;
  if (bar.size && (bar.wide || mask & ~15u))
    keep(&bar);
  return bar.wide ? 2 : 1;
}

static int place(struct pci_window *window, const struct bar *bar) {
  // two devices never share a page
  uint64 align = !bar->io && bar->size < PAGE ? PAGE : bar->size;
  uint64 at = (window->next + align - 1) & ~(align - 1);
  if (at < window->next || at >= window->end || bar->size > window->end - at)
    return 0;
  window->next = at + bar->size;
  pci_write32(bar->devfn, bar->reg, at);
  if (bar->wide)
    pci_write32(bar->devfn, bar->reg + 4, at >> 32);
  debug("pci: %2x.%x bar %x %s %X size %X\n", bar->devfn >> 3, bar->devfn & 7, (bar->reg - PCI_BAR0) / 4,
        bar->io ? "io" : "memory", at, bar->size);
  return 1;
}

void pci_assign(struct pci_windows *windows) {
  for (int devfn = -1; pci_next(&devfn);) {
    debug("pci: %2x.%x is %4x:%4x\n", devfn >> 3, devfn & 7, pci_read16(devfn, PCI_VENDOR), pci_read16(devfn, PCI_DEVICE));
    if (devfn == HOST_BRIDGE)
      continue;
    uint8 type = pci_read8(devfn, PCI_HEADER_TYPE) & 0x7f;
    if (type != 0) {
      complain("pci %x.%x: header type %x is left alone\n", devfn >> 3, devfn & 7, type);
      continue;
    }
    // decoding is off while a BAR holds a size, not an address
    pci_write16(devfn, PCI_COMMAND, pci_read16(devfn, PCI_COMMAND) & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (uint32 reg = PCI_BAR0; reg < PCI_BAR0 + 24;)
      reg += 4 * size_bar(devfn, reg);
  }

  static uint8 off[256];  // functions whose BARs did not all fit
  for (int i = 0; i < bar_count; i++) {
    const struct bar *bar = &bars[i];
    int placed = bar->io ? place(&windows->io, bar) : place(&windows->memory, bar) || (bar->wide && place(&windows->memory64, bar));
    if (!placed) {
      complain("pci %x.%x: no room for BAR %x, size %X\n", bar->devfn >> 3, bar->devfn & 7, (bar->reg - PCI_BAR0) / 4, bar->size);
      off[bar->devfn] |= bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    }
  }

  for (int devfn = -1; pci_next(&devfn);) {
    if (devfn == HOST_BRIDGE || pci_read8(devfn, PCI_HEADER_TYPE) & 0x7f)
      continue;
    uint8 pin = pci_read8(devfn, PCI_INTERRUPT_PIN);
    if (pin >= 1 && pin <= 4)
      pci_write8(devfn, PCI_INTERRUPT_LINE, pci_irq(devfn, pin));
    pci_write16(devfn, PCI_COMMAND,
                pci_read16(devfn, PCI_COMMAND) | ((PCI_COMMAND_IO | PCI_COMMAND_MEMORY) & ~off[devfn]));
  }
}
