// Runs the board's table-loader script: which files of tables to place where, which pointers
// between them to fix, which sums to make. The firmware needs to know no table at all.
#include "endian.h"
#include "pc.h"

#define COMMAND_SIZE 128
#define NAME_SIZE 56
#define MAX_FILES 32

#define ALLOCATE 1
#define ADD_POINTER 2
#define ADD_CHECKSUM 3

#define ZONE_HIGH 1
#define ZONE_FSEG 2

static struct loaded {
  char name[NAME_SIZE];
  uint8 *at;
  uint32 size;
} files[MAX_FILES];
static int file_count;
static uint32 fseg_next;

static struct loaded *file_of(const uint8 *name) {
  for (int i = 0; i < file_count; i++)
    if (!memcmp(files[i].name, name, NAME_SIZE))
      return &files[i];
  return NULL;
}

// name[56], le32 alignment, u8 zone
static const char *allocate(const uint8 *args) {
  uint32 align = get_le32(args + NAME_SIZE);
  uint8 zone = args[NAME_SIZE + 4];
  struct blob blob;
  if (file_count == MAX_FILES)
    return "too many files";
  struct loaded *file = &files[file_count];
  memcpy(file->name, args, NAME_SIZE);
  file->name[NAME_SIZE - 1] = 0;
  if (!fwcfg_find(file->name, &blob))
    return "there is no such file";
  if (!align || align & (align - 1))
    return "alignment is not a power of two";
  uint32 at = 0;
  if (zone == ZONE_HIGH)
    at = memory_take_high(blob.size, align, 0, memory_low_end(), 1);
  else if (zone == ZONE_FSEG) {
    at = (fseg_next + align - 1) & ~(align - 1);
    if (at < fseg_next || at > ZONE_END || blob.size > ZONE_END - at)
      at = 0;
    else
      fseg_next = at + blob.size;
  }
  if (!at)
    return "no room";
  file->at = (uint8 *)at;
  file->size = blob.size;
  blob_read(&blob, 0, file->at, blob.size);
  file_count++;
  debug("tables: %s at %x size %x\n", file->name, at, blob.size);
  return NULL;
}

// name[56] of the file that points, name[56] of the one pointed at, le32 offset, u8 size
static const char *add_pointer(const uint8 *args) {
  struct loaded *from = file_of(args), *to = file_of(args + NAME_SIZE);
  uint32 offset = get_le32(args + 2 * NAME_SIZE);
  uint8 size = args[2 * NAME_SIZE + 4];
  if (!from || !to)
    return "file not loaded";
  if ((size != 1 && size != 2 && size != 4 && size != 8) || offset > from->size || size > from->size - offset)
    return "pointer outside the file";
  // little-endian, so one addition does for each width
  uint64 value = 0;
  memcpy(&value, from->at + offset, size);
  value += (uint32)to->at;
  memcpy(from->at + offset, &value, size);
  return NULL;
}

// name[56], le32 offset of the sum, le32 start, le32 length
static const char *add_checksum(const uint8 *args) {
  struct loaded *file = file_of(args);
  uint32 offset = get_le32(args + NAME_SIZE);
  uint32 start = get_le32(args + NAME_SIZE + 4);
  uint32 length = get_le32(args + NAME_SIZE + 8);
  if (!file)
    return "file not loaded";
  if (offset >= file->size || start > file->size || length > file->size - start)
    return "sum outside the file";
  uint8 sum = 0;
  for (uint32 i = 0; i < length; i++)
    sum += file->at[start + i];
  file->at[offset] -= sum;
  return NULL;
}

void tables_load(void) {
  uint8 command[COMMAND_SIZE];
  struct blob script;
  fseg_next = (uint32)image_end;
  if (!fwcfg_find("etc/table-loader", &script)) {
    debug("tables: none\n");
    return;
  }
  for (uint32 at = 0; at + COMMAND_SIZE <= script.size; at += COMMAND_SIZE) {
    blob_read(&script, at, command, COMMAND_SIZE);
    uint32 kind = get_le32(command);
    const char *wrong = NULL;
    if (kind == ALLOCATE)
      wrong = allocate(command + 4);
    else if (kind == ADD_POINTER)
      wrong = add_pointer(command + 4);
    else if (kind == ADD_CHECKSUM)
      wrong = add_checksum(command + 4);
    else if (kind)  // 0 is padding
      complain("tables: command %x is not known, left out\n", kind);
    if (wrong) {
      command[4 + NAME_SIZE - 1] = 0;
      complain("tables: command %u, %s: %s\n", at / COMMAND_SIZE, command + 4, wrong);
      return;
    }
  }
}
