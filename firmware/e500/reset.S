# From the reset vector to C, and from C to a kernel.
#include "layout.h"

#define MAS0 624
#define MAS1 625
#define MAS2 626
#define MAS3 627
#define MAS7 944

#define MAS0_TLB1 0x10000000
#define MAS1_VALID 0xc0000000  // V and IPROT
#define SIZE_64K 3  // 4^n KiB
#define SIZE_64M 8
#define MAS3_ALL 0x3f

# The processor starts at 0xFFFFFFFC with one 4 KiB entry in TLB1, over this page (e500mc core
# manual, section "Reset"). Entry 1 becomes RAM, entry 2 the ROM.
  .section .reset, "ax"
reset:
  lis %r3, (MAS0_TLB1 + (1 << 16))@h
  mtspr MAS0, %r3
  lis %r3, MAS1_VALID@h
  ori %r3, %r3, SIZE_64M << 8
  mtspr MAS1, %r3
  li %r3, 0
  mtspr MAS2, %r3
  mtspr MAS7, %r3
  li %r3, MAS3_ALL
  mtspr MAS3, %r3
  isync
  tlbwe
  isync

  lis %r3, (MAS0_TLB1 + (2 << 16))@h
  mtspr MAS0, %r3
  lis %r3, MAS1_VALID@h
  ori %r3, %r3, SIZE_64K << 8
  mtspr MAS1, %r3
  lis %r3, ROM_EA@h
  mtspr MAS2, %r3
  lis %r3, (ROM_BASE + ROM_SIZE - IMAGE_SIZE)@h
  ori %r3, %r3, MAS3_ALL
  mtspr MAS3, %r3
  li %r3, (ROM_BASE >> 32)
  mtspr MAS7, %r3
  isync
  tlbwe
  isync

  # copy the image to RAM, in words. The caches are off after reset, so what is written is
  # what is fetched.
  lis %r3, (ROM_EA - 4)@h
  ori %r3, %r3, (ROM_EA - 4)@l
  lis %r4, (image_start - 4)@h
  ori %r4, %r4, (image_start - 4)@l
  lis %r5, copy_end@h
  ori %r5, %r5, copy_end@l
  subf %r5, %r4, %r5
  srwi %r5, %r5, 2
  mtctr %r5
1:
  lwzu %r6, 4(%r3)
  stwu %r6, 4(%r4)
  bdnz 1b
  sync
  isync

  li %r3, 0  # nobody gave us a device tree
  lis %r4, start@h
  ori %r4, %r4, start@l
  mtctr %r4
  bctr

  .org 0xffc
  b reset

# start(fdt): in RAM. Also the entry for another's loader which follows ePAPR.
  .section .text.start, "ax"
  .globl start
start:
  lis %r4, copy_end@h
  ori %r4, %r4, copy_end@l
  lis %r5, firmware_end@h
  ori %r5, %r5, firmware_end@l
  li %r6, 0
1:
  stw %r6, 0(%r4)
  addi %r4, %r4, 4
  cmplw %r4, %r5
  blt 1b
  lis %r1, (stack_top - 16)@h
  ori %r1, %r1, (stack_top - 16)@l
  stw %r6, 0(%r1)  # the back chain ends here
  bl main

# enter_kernel(entry, fdt, mapped): ePAPR 1.1 section 5.4.1
  .text
  .globl enter_kernel
enter_kernel:
  mtctr %r3
  mr %r3, %r4
  mr %r7, %r5
  lis %r6, 0x45504150@h
  ori %r6, %r6, 0x45504150@l
  lis %r1, 0x00fffff8@h
  ori %r1, %r1, 0x00fffff8@l
  li %r4, 0
  li %r5, 0
  li %r8, 0
  li %r9, 0
  li %r0, 0
  mtmsr %r0
  isync
  bctr

  .bss
  .balign 16
  .skip 8192
stack_top:
