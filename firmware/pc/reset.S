# From the reset vector to C. The processor starts in real mode at F000:FFF0 with the hidden
# base of CS at 0xFFFF0000 (Intel SDM vol. 3 section 9.1.4), so it runs in the ROM below 4 GiB.
# The segment F0000-FFFFF first is made RAM, then filled from the ROM; the firmware lives there.
#include "layout.h"

#define HIGH 0xfff00000  // from the shadow's address to the ROM's
#define SEGMENT_BASE 0xf0000

#define CODE32 0x10
#define DATA32 0x18

  .section .reset, "ax"
  .code16
  .globl reset_vector
reset_vector:
  jmp reset16
  .org 0xe
  .byte 0xfc  # model byte: AT
  .byte 0

  .text
  .code16
reset16:
  cli
  cld
  addr32 lgdtl %cs:gdt_register_high - SEGMENT_BASE
  movl %cr0, %eax
  andl $~0x60000000, %eax  # CD and NW are set at reset: caches on
  orl $1, %eax  # PE
  movl %eax, %cr0
  ljmpl $CODE32, $start_high + HIGH

  .code32
start_high:
  movw $DATA32, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movw %ax, %fs
  movw %ax, %gs

  # PAM0 (0x59), upper half: F0000-FFFFF. PAM1-PAM6 (0x5a-0x5f): C0000-EFFFF.
  # 3 in a field reads and writes RAM (82441FX section 3.2.13).
  movw $PCI_CONFIG_ADDRESS_PORT, %dx
  movl $0x80000058, %eax
  outl %eax, %dx
  movw $PCI_CONFIG_DATA_PORT + 1, %dx
  movb $0x30, %al
  outb %al, %dx
  movw $PCI_CONFIG_DATA_PORT + 2, %dx
  movw $0x3333, %ax
  outw %ax, %dx
  movw $PCI_CONFIG_ADDRESS_PORT, %dx
  movl $0x8000005c, %eax
  outl %eax, %dx
  movw $PCI_CONFIG_DATA_PORT, %dx
  movl $0x33333333, %eax
  outl %eax, %dx

  movl $image_start + HIGH, %esi
  movl $image_start, %edi
  movl $copy_end, %ecx
  subl %edi, %ecx
  shrl $2, %ecx
  rep movsl
  # so that a jump to F000:FFF0 restarts the machine
  movl $reset_vector + HIGH, %esi
  movl $reset_vector, %edi
  movl $4, %ecx
  rep movsl

  movl $copy_end, %edi
  movl $image_end, %ecx
  subl %edi, %ecx
  shrl $2, %ecx
  xorl %eax, %eax
  rep stosl

  lgdtl gdt_register
  ljmpl $CODE32, $start_low
start_low:
  movl $stack_top, %esp
  call main
  hlt

  # Flat segments at 0x10 and 0x18, as the Linux boot protocol wants them; 16-bit segments
  # for the way back to real mode.
  .section .rodata
  .balign 8
gdt:
  .quad 0
  .quad 0x00009b0f0000ffff  # 0x08 16-bit code, base F0000
  .quad 0x00cf9b000000ffff  # 0x10 32-bit code, flat
  .quad 0x00cf93000000ffff  # 0x18 32-bit data, flat
  .quad 0x000093000000ffff  # 0x20 16-bit data, base 0
gdt_end:
  .globl gdt_register
gdt_register:
  .word gdt_end - gdt - 1
  .long gdt
gdt_register_high:
  .word gdt_end - gdt - 1
  .long gdt + HIGH

  # Flat segments at 8 and 0x10, for a multiboot kernel.
  .balign 8
multiboot_gdt:
  .quad 0
  .quad 0x00cf9b000000ffff
  .quad 0x00cf93000000ffff
  .globl multiboot_gdt_register
multiboot_gdt_register:
  .word multiboot_gdt_register - multiboot_gdt - 1
  .long multiboot_gdt

  .bss
  .balign 16
  .skip 4096
  .globl stack_top
stack_top:
