// What the files of the PC firmware share.
#pragma once
#include "firmware.h"
#include "layout.h"

static inline void outb(uint16 port, uint8 value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16 port, uint16 value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16 port, uint32 value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8 inb(uint16 port) {
  uint8 value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint16 inw(uint16 port) {
  uint16 value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint32 inl(uint16 port) {
  uint32 value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

// pc.ld
extern uint8 image_end[];  // one past the firmware in its shadow
#define ZONE_END 0xfffe0  // the reset vector's paragraph comes after the free part

// chipset.c
void console_init(void);
void console_send(char c);  // as it is; console_putc makes CR LF of a newline
void console_listen(void);
int console_receive(void);  // -1: nothing has come
void chipset_init(void);
void pci_init(uint64 ram_end);

// memory.c: the map of memory as the operating system will get it
#define MAP_RAM 1
#define MAP_RESERVED 2
#define MAP_MAX 32

struct map_entry {  // the form in which INT 15h E820h and Linux want it
  uint64 start;
  uint64 length;
  uint32 type;
} __attribute__((packed));

extern struct map_entry map[MAP_MAX];
extern int map_count;

#define MIB 0x100000u  // where extended memory begins

void memory_init(int has_fwcfg);
uint64 memory_end(void);  // one past the last byte of RAM
uint32 memory_low_end(void);  // one past the RAM below 4 GiB
// Takes [start, start+length) away from whatever it was.
void map_mark(uint64 start, uint64 length, uint32 type);
// Takes room at the top of RAM below both 4 GiB and limit, and above floor; marks it
// reserved if asked. 0 when there is none.
uint32 memory_take_high(uint32 size, uint32 align, uint32 floor, uint32 limit, int reserve);

// tables.c
void tables_load(void);

// kernel.c
struct boot {
  struct blob kernel, setup, initrd, modules;  // size 0: not given
  char command_line[2048];
};

void kernel_boot(void);  // returns when no kernel was given

// multiboot.c
int multiboot_find(const uint8 *head, uint32 size);  // offset of the header, or -1
void multiboot_boot(struct boot *boot, const uint8 *head, int header);
void elf_boot(struct boot *boot);

// modules.c
#define MODULES_MAX 32

struct module {  // multiboot 0.6.96 section 3.3
  uint32 start, end, text, reserved;
};

int modules_load(struct boot *boot, uint32 floor, struct module **list);  // how many there are

// linux.c
void linux_boot(struct boot *boot) __attribute__((noreturn));
void linux_elf_boot(struct boot *boot, const struct elf_image *image) __attribute__((noreturn));

// bios.c
void disk_boot(void);  // returns when there is no disk

struct bios_frame {  // what bios_entry in real.S leaves on the caller's stack
  uint16 es, ds;
  uint32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
  uint16 vector;
  uint16 ip, cs, flags;
};

int bios_service(struct bios_frame *frame);

#define FLAG_CARRY 0x0001
#define FLAG_ZERO 0x0040

static inline void set_low(uint32 *reg, uint32 value) {
  *reg = (*reg & 0xffff0000) | (value & 0xffff);
}

// terminal.c
void terminal_init(void);
uint16 terminal_equipment(void);
void display_service(struct bios_frame *frame);  // INT 10h
int keyboard_service(struct bios_frame *frame);  // INT 16h; whether there is no key yet

// clock.c
void clock_init(void);
int clock_service(struct bios_frame *frame);  // INT 1Ah

// real.S
void enter_kernel(uint32 entry, uint32 eax, uint32 ebx, uint32 esi) __attribute__((noreturn));
void enter_multiboot(uint32 entry, uint32 eax, uint32 ebx, uint32 esi) __attribute__((noreturn));
void enter_boot_sector(void) __attribute__((noreturn));
extern uint8 bios_return[], bios_08[], bios_10[], bios_11[], bios_12[], bios_13[], bios_15[], bios_16[], bios_1a[];
