// The phases of the e500 firmware, in order.
#include "e500.h"

// fdt is where another's loader put the device tree, if it was one who started us.
void main(const uint8 *fdt) {
  tlb_init();
  console_init();
  for (const char *s = "barzero firmware for " MACHINE_NAME "\n"; *s; s++)
    console_putc(*s);
  debug("barzero firmware for %s\n", MACHINE_NAME);

  int has_fwcfg = fwcfg_init();
  struct blob file;
  if (has_fwcfg && fwcfg_find("etc/fdt", &file)) {
    if (file.size > (uint32)image_start - (uint32)fdt_room)
      fail("the device tree is too large: %u bytes\n", file.size);
    blob_read(&file, 0, fdt_room, file.size);
    fdt = fdt_room;
  }
  if (!fdt || !fdt_is(fdt))
    fail("there is no device tree\n");
  debug("memory: %x\n", fdt_ram_size(fdt));

  pci_init(fdt_ram_size(fdt));
  boot(fdt, has_fwcfg);
}
