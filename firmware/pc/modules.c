// What a multiboot kernel is given beside itself: the initrd and the files in fw_cfg opt/org.barzero/modules.
// Multiboot 0.6.96 section 3.3, mods_count and mods_addr.
#include "endian.h"
#include "pc.h"

#define TEXTS_SIZE 2048

// Like all that is handed over they lie in the firmware's own segment.
static struct module modules[MODULES_MAX];
static char texts[TEXTS_SIZE];

static struct blob parts[MODULES_MAX];  // their bytes

// Each is the number of its bytes, the number of its text's, that text with its NUL, and the bytes.
static int find_modules(struct boot *boot) {
  int count = 0;
  uint32 used = 0;
  if (boot->initrd.size) {
    parts[count] = boot->initrd;
    modules[count++].text = (uint32)"initrd";
  }
  for (uint32 at = 0; at < boot->modules.size;) {
    uint8 head[8];
    blob_read(&boot->modules, at, head, sizeof head);
    uint32 size = get_le32(head), length = get_le32(head + 4);
    at += sizeof head;
    if (count == MODULES_MAX)
      fail("more than %u modules\n", MODULES_MAX);
    if (length > TEXTS_SIZE - used)
      fail("more than %u bytes of modules' texts\n", TEXTS_SIZE);
    blob_read(&boot->modules, at, texts + used, length);
    at += length;
    modules[count].text = (uint32)(texts + used);
    used += length;
    parts[count] = boot->modules;
    parts[count].offset += at;
    parts[count++].size = size;
    at += size;
  }
  return count;
}

int modules_load(struct boot *boot, uint32 floor, struct module **list) {
  int count = find_modules(boot);
  // right behind the kernel, where other loaders have them: a small kernel maps no more
  // than that, and takes what is behind the last one for its own
  uint32 at = floor < MIB ? MIB : floor;
  for (int i = 0; i < count; i++) {
    struct module *module = &modules[i];
    const char *text = (const char *)module->text;
    at = (at + 0xfff) & ~0xfff;
    if (!ram_is_free(at, parts[i].size))
      fail("no room for the module %s, %u bytes\n", text, parts[i].size);
    blob_read(&parts[i], 0, (void *)at, parts[i].size);
    module->start = at;
    module->end = at += parts[i].size;
    debug("module %s: %x-%x\n", text, module->start, module->end);
  }
  *list = modules;
  return count;
}
