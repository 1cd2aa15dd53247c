// fw_cfg: how the board hands data to its firmware. An item is chosen by a
// 16-bit key and then read as a stream, by bytes or by one DMA descriptor.
#include "endian.h"
#include "firmware.h"

#define KEY_SIGNATURE 0x00
#define KEY_ID 0x01
#define KEY_DIRECTORY 0x19

#define ID_DMA 0x2  // the DMA interface is there

#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08

#define DIRECTORY_ENTRY 64  // be32 size, be16 key, be16 reserved, name[56]
#define NAME_SIZE 56

static int has_dma;

int fwcfg_init(void) {
  uint8 signature[4];
  fwcfg_port_select(KEY_SIGNATURE);
  fwcfg_port_bytes(signature, 4);
  if (memcmp(signature, "QEMU", 4))
    return 0;
  has_dma = (fwcfg_read_le32(KEY_ID) & ID_DMA) != 0;
  debug("fw_cfg: %s\n", has_dma ? "dma" : "byte stream");
  return 1;
}

// One descriptor, big-endian: control, length, address (64 bits). The key sits in
// control's upper half. The device clears control when it is done.
static void dma(uint32 control, uint32 length, void *to) {
  static uint8 descriptor[16] __attribute__((aligned(16)));
  put_be32(descriptor, control);
  put_be32(descriptor + 4, length);
  put_be32(descriptor + 8, 0);
  put_be32(descriptor + 12, (uint32)to);
  barrier();
  fwcfg_port_dma((uint32)descriptor);
  do
    barrier();
  while (get_be32(descriptor) & ~DMA_ERROR);
  if (get_be32(descriptor) & DMA_ERROR)
    fail("fw_cfg: DMA of %u bytes failed\n", length);
}

static void select(uint16 key) {
  if (has_dma)
    dma((uint32)key << 16 | DMA_SELECT, 0, NULL);
  else
    fwcfg_port_select(key);
}

static void stream(void *to, uint32 count) {
  if (has_dma)
    dma(DMA_READ, count, to);
  else
    fwcfg_port_bytes(to, count);
}

static void skip(uint32 count) {
  uint8 waste[64];
  if (has_dma) {
    dma(DMA_SKIP, count, NULL);
    return;
  }
  for (; count > sizeof waste; count -= sizeof waste)
    fwcfg_port_bytes(waste, sizeof waste);
  fwcfg_port_bytes(waste, count);
}

uint32 fwcfg_read_le32(uint16 key) {
  uint8 value[4];
  fwcfg_port_select(key);
  fwcfg_port_bytes(value, 4);
  return get_le32(value);
}

int fwcfg_find(const char *name, struct blob *blob) {
  uint8 entry[DIRECTORY_ENTRY];
  select(KEY_DIRECTORY);
  stream(entry, 4);
  for (uint32 left = get_be32(entry); left; left--) {
    stream(entry, sizeof entry);
    entry[8 + NAME_SIZE - 1] = 0;
    if (strcmp((char *)entry + 8, name))
      continue;
    blob->size = get_be32(entry);
    blob->key = get_be16(entry + 4);
    blob->offset = 0;
    blob->read = NULL;
    return 1;
  }
  return 0;
}

void blob_read(const struct blob *blob, uint32 offset, void *to, uint32 count) {
  if (!count)
    return;
  if (blob->read) {
    if (!blob->read(blob->offset + offset, to, count))
      fail("%u bytes at %u cannot be read\n", count, blob->offset + offset);
    return;
  }
  select(blob->key);
  if (blob->offset + offset)
    skip(blob->offset + offset);
  stream(to, count);
}
