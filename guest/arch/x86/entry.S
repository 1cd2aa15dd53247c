/*
 * Multiboot (0.6.96 section 3): flat segments, paging off, eax = 0x2badb002, ebx = information.
 * The header asks for page-aligned modules and a memory map.
 */
#define MAGIC 0x1badb002
#define FLAGS 3

	.section .multiboot, "a"
	.balign 4
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl entry
entry:
	cli
	cld
	movl $stack_top, %esp
	xorl %ebp, %ebp
	pushl %ebx
	pushl %eax
	call multiboot_main

	.section .bss
	.balign 16
stack:	.skip 16384
	.globl stack_top
stack_top:
