// Loads an ELF32 executable at its physical addresses, straight from fw_cfg.
// System V ABI, chapters 4 (object files) and 5 (program loading).
#include "firmware.h"

struct elf_header {
  uint8 magic[4], class, data, version, pad[9];
  uint16 type, machine;
  uint32 version2, entry, phoff, shoff, flags;
  uint16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
  uint32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

#define CLASS_32 1
#define TYPE_EXECUTABLE 2
#define SEGMENT_LOAD 1
#define SEGMENT_NOTE 4

#ifdef __i386__
#define DATA_OURS 1  // little-endian
#define MACHINE_OURS 3  // EM_386
#else
#define DATA_OURS 2  // big-endian
#define MACHINE_OURS 20  // EM_PPC
#endif

int elf_is(const uint8 *header) {
  return memcmp(header, "\177ELF", 4) == 0;
}

// Whether one of the notes is Linux's own: each kernel since 4.19 has one, its build salt.
static int notes_of_linux(const struct blob *file, const struct program_header *notes) {
  struct {
    uint32 name, descriptor, type;  // sizes; name and descriptor are padded to 4
  } head;
  char name[6];
  for (uint32 at = 0; notes->filesz - at >= sizeof head + sizeof name;) {
    blob_read(file, notes->offset + at, &head, sizeof head);
    blob_read(file, notes->offset + at + sizeof head, name, sizeof name);
    if (head.name == sizeof name && !memcmp(name, "Linux", sizeof name))
      return 1;
    uint64 next = at + sizeof head + (((uint64)head.name + 3) & ~3ull) + (((uint64)head.descriptor + 3) & ~3ull);
    if (next > notes->filesz)
      return 0;
    at = next;
  }
  return 0;
}

const char *elf_load(const struct blob *file, struct elf_image *image) {
  struct elf_header header;
  if (file->size < sizeof header)
    return "the file is cut short";
  blob_read(file, 0, &header, sizeof header);
  if (!elf_is(header.magic))
    return "not an ELF file";
  if (header.class != CLASS_32 || header.data != DATA_OURS || header.machine != MACHINE_OURS)
    return "made for another processor";
  if (header.type != TYPE_EXECUTABLE)
    return "not an executable";
  if (header.phentsize != sizeof(struct program_header))
    return "program headers of an unknown size";

  image->entry = header.entry;
  image->end = 0;
  image->is_linux = 0;
  int loaded = 0, entry_known = 0;
  for (uint32 i = 0; i < header.phnum; i++) {
    struct program_header segment;
    uint64 at = header.phoff + (uint64)i * sizeof segment;
    if (at + sizeof segment > file->size)
      return "the program headers are outside the file";
    blob_read(file, at, &segment, sizeof segment);
    if (segment.type == SEGMENT_NOTE && (uint64)segment.offset + segment.filesz <= file->size)
      image->is_linux |= notes_of_linux(file, &segment);
    if (segment.type != SEGMENT_LOAD || !segment.memsz)
      continue;
    if (segment.filesz > segment.memsz || (uint64)segment.offset + segment.filesz > file->size)
      return "a segment is outside the file";
    if (!ram_is_free(segment.paddr, segment.memsz))
      return "a segment does not lie in free RAM";
    blob_read(file, segment.offset, (void *)segment.paddr, segment.filesz);
    memset((void *)(segment.paddr + segment.filesz), 0, segment.memsz - segment.filesz);
    // The entry is virtual when the kernel was linked high: take it back to where it was loaded.
    if (!entry_known && header.entry - segment.vaddr < segment.memsz) {
      image->entry = header.entry - segment.vaddr + segment.paddr;
      entry_known = 1;
    }
    if (segment.paddr + segment.memsz > image->end)
      image->end = segment.paddr + segment.memsz;
    loaded++;
  }
  if (!loaded)
    return "nothing to load";
  return NULL;
}
