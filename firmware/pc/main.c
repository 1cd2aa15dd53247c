// The phases of the PC firmware, in order.
#include "pc.h"

void main(void) {
  console_init();
  for (const char *s = "barzero firmware for " MACHINE_NAME "\n"; *s; s++)
    console_putc(*s);
  debug("barzero firmware for %s\n", MACHINE_NAME);

  int has_fwcfg = fwcfg_init();
  memory_init(has_fwcfg);
  chipset_init();
  pci_init(memory_end());
  if (has_fwcfg)
    tables_load();  // after PCI: tables may describe what was assigned

  if (has_fwcfg)
    kernel_boot();
  disk_boot();
  complain("nothing to boot: no kernel was given, and there is no virtio disk\n");
  stop();
}
