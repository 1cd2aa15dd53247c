/* ePAPR 1.1 section 5.4.1: r3 is the device tree, r6 the magic number; one TLB1 entry maps us where we are. */
	.text
	.globl entry
entry:
	lis %r1, stack_top@ha
	addi %r1, %r1, stack_top@l - 16
	li %r0, 0
	stw %r0, 0(%r1)
	mr %r4, %r6
	bl epapr_main

	.section .bss
	.balign 16
stack:	.skip 16384
stack_top:
