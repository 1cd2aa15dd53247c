// A small driver for one virtio disk: modern layout, one request at a time, polled.
// virtio 1.2 sections 4.1 (PCI), 2.7 (split ring) and 5.2 (block device).
#include "endian.h"
#include "firmware.h"
#include "pci.h"

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_BLK_TRANSITIONAL 0x1001
#define DEVICE_BLK 0x1042

// capability, section 4.1.4
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_NOTIFY_MULTIPLIER 16
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4

// common configuration, section 4.1.4.3
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE 0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE 0x0c
#define DEVICE_STATUS 0x14
#define CONFIG_GENERATION 0x15
#define QUEUE_SELECT 0x16
#define QUEUE_SIZE 0x18
#define QUEUE_ENABLE 0x1c
#define QUEUE_NOTIFY_OFF 0x1e
#define QUEUE_DESC 0x20
#define QUEUE_DRIVER 0x28
#define QUEUE_DEVICE 0x30

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_FAILED 128

#define FEATURE_VERSION_1_HIGH 1  // bit 32

#define DESC_NEXT 1
#define DESC_WRITE 2
#define AVAIL_NO_INTERRUPT 1

#define REQUEST_IN 0
#define STATUS_OK 0

#define RING 8
#define PATIENCE 10000000  // polls of the used index before the disk is given up

// Everything in the ring is little-endian, whatever the processor is (section 2.7). Its parts need
// alignments of 16, 4 and 2; in this order nothing is lost between them, and they take 220 bytes.
static struct {
  uint8 desc[16 * RING] __attribute__((aligned(16)));
  uint8 used[6 + 8 * RING] __attribute__((aligned(4)));
  uint8 avail[6 + 2 * RING] __attribute__((aligned(2)));
} ring;
static uint8 request[16];
static volatile uint8 status;

static volatile uint8 *common, *notify, *device;
static uint32 notify_multiplier;
static uint16 sent;  // avail index

static void put64(uint32 reg, void *address) {
  mmio_write32(common + reg, (uint32)address);
  mmio_write32(common + reg + 4, 0);
}

// Where a capability's structure is for the processor; NULL when out of reach.
static volatile uint8 *structure(uint32 devfn, uint32 cap, uint32 least) {
  uint32 index = pci_read8(devfn, cap + CAP_BAR);
  if (index > 5 || pci_read32(devfn, cap + CAP_LENGTH) < least)
    return NULL;
  uint32 low = pci_read32(devfn, PCI_BAR0 + 4 * index);
  if (low & PCI_BAR_IO)
    return NULL;
  uint64 base = low & ~15u;
  if ((low & PCI_BAR_TYPE) == PCI_BAR_TYPE_64 && index < 5)
    base |= (uint64)pci_read32(devfn, PCI_BAR0 + 4 * index + 4) << 32;
  return base ? pci_memory(base + pci_read32(devfn, cap + CAP_OFFSET)) : NULL;
}

// The device lists its structures in order of preference: of each type the first that we
// can reach is the one (section 4.1.4.1).
static int find_structures(uint32 devfn) {
  common = notify = device = NULL;
  if (!(pci_read16(devfn, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
    return 0;
  uint32 cap = pci_read8(devfn, PCI_CAPABILITIES) & ~3;
  for (int hops = 0; cap && hops < 48; hops++, cap = pci_read8(devfn, cap + 1) & ~3) {
    if (pci_read8(devfn, cap) != PCI_CAPABILITY_VENDOR)
      continue;
    switch (pci_read8(devfn, cap + CAP_TYPE)) {
    case TYPE_COMMON:
      if (!common)
        common = structure(devfn, cap, QUEUE_DEVICE + 8);
      break;
    case TYPE_NOTIFY:
      if (!notify) {
        notify = structure(devfn, cap, 2);
        notify_multiplier = pci_read32(devfn, cap + CAP_NOTIFY_MULTIPLIER);
      }
      break;
    case TYPE_DEVICE:
      if (!device)
        device = structure(devfn, cap, 8);
      break;
    }
  }
  return common && notify && device;
}

// The driver's steps in the order of section 3.1.1.
static int start(uint32 devfn) {
  pci_write16(devfn, PCI_COMMAND, pci_read16(devfn, PCI_COMMAND) | PCI_COMMAND_MASTER);

  // 1. reset, and wait until it is over
  mmio_write8(common + DEVICE_STATUS, 0);
  for (int polls = 0; mmio_read8(common + DEVICE_STATUS); polls++)
    if (polls == PATIENCE)
      return 0;
  // 2, 3. we saw it, we can drive it
  uint8 state = STATUS_ACKNOWLEDGE;
  mmio_write8(common + DEVICE_STATUS, state);
  mmio_write8(common + DEVICE_STATUS, state |= STATUS_DRIVER);
  // 4. of all features only VERSION_1
  mmio_write32(common + DEVICE_FEATURE_SELECT, 1);
  if (!(mmio_read32(common + DEVICE_FEATURE) & FEATURE_VERSION_1_HIGH))
    goto failed;
  mmio_write32(common + DRIVER_FEATURE_SELECT, 0);
  mmio_write32(common + DRIVER_FEATURE, 0);
  mmio_write32(common + DRIVER_FEATURE_SELECT, 1);
  mmio_write32(common + DRIVER_FEATURE, FEATURE_VERSION_1_HIGH);
  // 5, 6. does the device agree?
  mmio_write8(common + DEVICE_STATUS, state |= STATUS_FEATURES_OK);
  if (!(mmio_read8(common + DEVICE_STATUS) & STATUS_FEATURES_OK))
    goto failed;
  // 7. queue 0, eight entries
  mmio_write16(common + QUEUE_SELECT, 0);
  if (mmio_read16(common + QUEUE_SIZE) < RING)
    goto failed;
  memset(&ring, 0, sizeof ring);
  put_le16(ring.avail, AVAIL_NO_INTERRUPT);
  sent = 0;
  mmio_write16(common + QUEUE_SIZE, RING);
  put64(QUEUE_DESC, ring.desc);
  put64(QUEUE_DRIVER, ring.avail);
  put64(QUEUE_DEVICE, ring.used);
  notify += mmio_read16(common + QUEUE_NOTIFY_OFF) * notify_multiplier;
  mmio_write16(common + QUEUE_ENABLE, 1);
  // 8. live
  mmio_write8(common + DEVICE_STATUS, state | STATUS_DRIVER_OK);
  return 1;

failed:
  mmio_write8(common + DEVICE_STATUS, state | STATUS_FAILED);
  return 0;
}

int blk_find(void) {
  for (int devfn = -1; pci_next(&devfn);) {
    uint16 id = pci_read16(devfn, PCI_DEVICE);
    if (pci_read16(devfn, PCI_VENDOR) != VENDOR_VIRTIO || (id != DEVICE_BLK && id != DEVICE_BLK_TRANSITIONAL))
      continue;
    if (!find_structures(devfn)) {
      debug("disk: %x.%x has no modern layout within reach\n", devfn >> 3, devfn & 7);
      continue;
    }
    if (!start(devfn)) {
      complain("disk: %x.%x does not come up\n", devfn >> 3, devfn & 7);
      continue;
    }
    debug("disk: %x.%x has %X sectors\n", devfn >> 3, devfn & 7, blk_capacity());
    return 1;
  }
  return 0;
}

uint64 blk_capacity(void) {
  uint8 before, after;
  uint32 low, high;
  do {  // again while the device was changing it (section 2.5.1)
    before = mmio_read8(common + CONFIG_GENERATION);
    low = mmio_read32(device);
    high = mmio_read32(device + 4);
    after = mmio_read8(common + CONFIG_GENERATION);
  } while (before != after);
  return (uint64)high << 32 | low;
}

static void describe(int index, volatile void *address, uint32 length, uint16 flags) {
  uint8 *desc = ring.desc + 16 * index;
  put_le64(desc, (uint32)address);
  put_le32(desc + 8, length);
  put_le16(desc + 12, flags);
  put_le16(desc + 14, index + 1);
}

int blk_read(uint64 sector, uint32 count, void *to) {
  put_le32(request, REQUEST_IN);
  put_le32(request + 4, 0);
  put_le64(request + 8, sector);
  status = 0xff;
  describe(0, request, sizeof request, DESC_NEXT);
  describe(1, to, count * 512, DESC_NEXT | DESC_WRITE);
  describe(2, &status, 1, DESC_WRITE);
  put_le16(ring.avail + 4 + 2 * (sent % RING), 0);
  barrier();
  mmio_write16(ring.avail + 2, ++sent);  // one store: the device never sees half an index
  barrier();
  mmio_write16(notify, 0);
  for (int polls = 0; mmio_read16(ring.used + 2) != sent; polls++) {
    if (polls == PATIENCE) {
      complain("disk: no answer\n");
      return 0;
    }
    barrier();
  }
  return status == STATUS_OK;
}
