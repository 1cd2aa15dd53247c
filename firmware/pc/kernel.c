// The kernel which the board gives through fw_cfg: find out what it is.
#include "endian.h"
#include "pc.h"

#define KEY_KERNEL_SIZE 0x08
#define KEY_INITRD_SIZE 0x0b
#define KEY_KERNEL_DATA 0x11
#define KEY_INITRD_DATA 0x12
#define KEY_COMMAND_LINE_SIZE 0x14
#define KEY_COMMAND_LINE_DATA 0x15
#define KEY_SETUP_SIZE 0x17
#define KEY_SETUP_DATA 0x18

#define HEAD_SIZE 8192  // as far as a multiboot header may be from the start

static uint8 head[HEAD_SIZE] __attribute__((aligned(4)));
static struct boot boot;

static struct blob item(uint16 size_key, uint16 data_key) {
  return (struct blob){.key = data_key, .size = fwcfg_read_le32(size_key)};
}

static void read_command_line(struct blob line) {
  uint32 size = line.size < sizeof boot.command_line ? line.size : sizeof boot.command_line - 1;
  if (size < line.size)
    complain("command line cut at %u bytes\n", size);
  blob_read(&line, 0, boot.command_line, size);
  boot.command_line[size] = 0;
}

void kernel_boot(void) {
  struct blob line;
  // a raw kernel by name comes first: another emulator's -kernel may have taken the image apart
  if (fwcfg_find("opt/org.barzero/kernel", &boot.kernel)) {
    if (fwcfg_find("opt/org.barzero/append", &line))
      read_command_line(line);
    if (!fwcfg_find("opt/org.barzero/initrd", &boot.initrd))
      boot.initrd.size = 0;
  } else {
    boot.kernel = item(KEY_KERNEL_SIZE, KEY_KERNEL_DATA);
    boot.setup = item(KEY_SETUP_SIZE, KEY_SETUP_DATA);
    boot.initrd = item(KEY_INITRD_SIZE, KEY_INITRD_DATA);
    read_command_line(item(KEY_COMMAND_LINE_SIZE, KEY_COMMAND_LINE_DATA));
  }
  if (!boot.kernel.size)
    return;
  fwcfg_find("opt/org.barzero/modules", &boot.modules);
  if (boot.setup.size)
    linux_boot(&boot);

  uint32 size = boot.kernel.size < HEAD_SIZE ? boot.kernel.size : HEAD_SIZE;
  blob_read(&boot.kernel, 0, head, size);
  int header = multiboot_find(head, size);
  if (header >= 0)
    multiboot_boot(&boot, head, header);
  if (size >= 4 && elf_is(head))
    elf_boot(&boot);
  if (size > 0x206 && !memcmp(head + 0x202, "HdrS", 4)) {
    // a whole bzImage: the boot sector and its setup sectors, then the kernel
    uint32 setup = (head[0x1f1] ? head[0x1f1] + 1 : 5) * 512;
    if (setup < boot.kernel.size) {
      boot.setup = boot.kernel;
      boot.setup.size = setup;
      boot.kernel.offset = setup;
      boot.kernel.size -= setup;
      linux_boot(&boot);
    }
  }
  fail("kernel is neither multiboot, ELF nor bzImage (%u bytes, first %2x %2x %2x %2x)\n", boot.kernel.size, head[0],
       head[1], head[2], head[3]);
}
