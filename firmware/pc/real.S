# The ways out of the firmware, and the ways back in through an interrupt.
#include "layout.h"

#define SEGMENT 0xf000
#define SEGMENT_BASE 0xf0000
#define CODE16 0x08
#define CODE32 0x10
#define DATA32 0x18
#define DATA16 0x20

#define TICKS_A_DAY 0x1800b0
#define EOI 0x20  // OCW2

  .text
  .code32
  # enter_multiboot(entry, eax, ebx, esi): flat segments at 8 and 0x10. Multiboot 0.6.96 section 3.2
  # leaves the numbers open, but loaders have these, and kernels whose GDT is alike never load CS
  .globl enter_multiboot
enter_multiboot:
  lgdtl multiboot_gdt_register
  ljmpl $8, $1f
1:
  movl $0x10, %ecx
  movl %ecx, %ds
  movl %ecx, %es
  movl %ecx, %fs
  movl %ecx, %gs
  movl %ecx, %ss

  # enter_kernel(entry, eax, ebx, esi): flat segments, paging and interrupts off
  .globl enter_kernel
enter_kernel:
  movl 4(%esp), %edx
  movl 8(%esp), %eax
  movl 12(%esp), %ebx
  movl 16(%esp), %esi
  xorl %ecx, %ecx
  xorl %edi, %edi
  xorl %ebp, %ebp
  cli
  cld
  jmp *%edx

  # enter_boot_sector(): 0000:7C00 in real mode, DL = the disk it came from
  .globl enter_boot_sector
enter_boot_sector:
  movw $DATA16, %ax
  movw %ax, %fs
  movw %ax, %gs
  ljmp $CODE16, $1f - SEGMENT_BASE
  .code16
1:
  call leave_protected
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %fs
  movw %ax, %gs
  movw %ax, %ss
  movl $0x7c00, %esp
  movl $0x80, %edx
  sti
  ljmp $0, $0x7c00

  # From 16-bit protected code with base F0000 to real mode at F000:caller (Intel SDM vol. 3
  # section 9.9.2). The return address is kept in a register: the stack is elsewhere after.
leave_protected:
  popw %di
  movw $DATA16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl %cr0, %eax
  andl $~1, %eax
  movl %eax, %cr0
  ljmpl $SEGMENT, $1f - SEGMENT_BASE
1:
  jmp *%di

  # One entry a vector; all of them end in bios_service(), in C.
  .globl bios_10, bios_11, bios_12, bios_13, bios_15, bios_16, bios_1a, bios_return
bios_10:
  pushw $0x10
  jmp bios_entry
bios_11:
  pushw $0x11
  jmp bios_entry
bios_12:
  pushw $0x12
  jmp bios_entry
bios_13:
  pushw $0x13
  jmp bios_entry
bios_15:
  pushw $0x15
  jmp bios_entry
bios_16:
  pushw $0x16
  jmp bios_entry
bios_1a:
  pushw $0x1a
bios_entry:
  pushal
  pushw %ds
  pushw %es
bios_again:
  # the frame's linear address, for C; SS:SP, for the way back
  xorl %eax, %eax
  movw %ss, %ax
  movw %cs, %dx
  movw %dx, %ds
  addr32 movw %ax, caller_ss - SEGMENT_BASE
  addr32 movw %sp, caller_sp - SEGMENT_BASE
  shll $4, %eax
  movzwl %sp, %ecx
  addl %eax, %ecx
  addr32 sgdtl caller_gdt - SEGMENT_BASE
  addr32 lgdtl gdt_register - SEGMENT_BASE
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $CODE32, $1f
  .code32
1:
  movw $DATA32, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $stack_top, %esp
  cld
  pushl %ecx
  call bios_service
  movl %eax, %esi
  ljmp $CODE16, $2f - SEGMENT_BASE
  .code16
2:
  call leave_protected
  movw %cs, %ax
  movw %ax, %ds
  addr32 lgdtl caller_gdt - SEGMENT_BASE
  addr32 movw caller_ss - SEGMENT_BASE, %ss
  addr32 movzwl caller_sp - SEGMENT_BASE, %esp
  testl %esi, %esi
  jz 3f
  # whoever waits for a key loses no tick by it
  sti
  nop
  cli
  jmp bios_again
3:
  popw %es
  popw %ds
  popal
  addw $2, %sp
bios_return:
  iretw

  # INT 08h, IRQ 0: a tick of the day, at 0040:006C; at midnight they begin anew, which 0040:0070 says
  .globl bios_08
bios_08:
  pushw %ax
  pushw %ds
  movw $0x40, %ax
  movw %ax, %ds
  incl 0x6c
  cmpl $TICKS_A_DAY, 0x6c
  jb 1f
  movl $0, 0x6c
  movb $1, 0x70
1:
  int $0x1c
  movb $EOI, %al
  outb %al, $I8259_MASTER_PORT
  popw %ds
  popw %ax
  iretw

  .bss
caller_ss:
  .skip 2
caller_sp:
  .skip 2
caller_gdt:
  .skip 6
