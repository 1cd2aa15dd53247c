/* From the loader to machine_main (ePAPR 1.1 section 5.4.1), and between user mode and the kernel. */
#define SPRG0 272	/* scratch of the entries below */
#define SPRG1 273
#define SPRG2 274
#define SPRG3 275	/* the kernel stack of the process that runs */
#define SRR0 26
#define SRR1 27
#define DEAR 61
#define MAS3 627
#define USER_MSR 0x7000	/* PR, FP, ME */

#define PAGED 0x4000	/* upper half of the address */
#define PAGED_PAGES 5120

#define FRAME 192	/* back chain, LR word, then struct frame */
#define GPR(n) (8 + 4 * (n))
#define REST(n) (8 + 128 + 4 * (n))

	.section .vectors, "ax"
	.balign 16
	.globl vectors
	.set n, 0
vectors:
	.rept 16
	.balign 16
	mtspr SPRG0, %r3
	.if n == 13
	b data_miss
	.endif
	li %r3, n
	b save
	.set n, n + 1
	.endr

/*
 * No entry in the TLB for a data access. The processor has filled MAS0 to MAS2 (e500mc core reference manual, table 6-10);
 * the page's table has the word for MAS3. What is not there is a page fault.
 */
data_miss:
	mtspr SPRG1, %r4
	mfcr %r3
	mtspr SPRG2, %r3
	mfspr %r3, DEAR
	subis %r3, %r3, PAGED
	srwi %r3, %r3, 12
	cmplwi %r3, PAGED_PAGES
	bge 1f
	lis %r4, running_table@ha
	lwz %r4, running_table@l(%r4)
	slwi %r3, %r3, 2
	lwzx %r4, %r4, %r3
	cmpwi %r4, 0
	beq 1f
	mtspr MAS3, %r4
	isync
	tlbwe
	mfspr %r3, SPRG2
	mtcr %r3
	mfspr %r4, SPRG1
	mfspr %r3, SPRG0
	rfi
1:	mfspr %r3, SPRG2
	mtcr %r3
	mfspr %r4, SPRG1
	li %r3, 13

/* All else: registers to the process's kernel stack. Floating-point registers stay, since the kernel uses none. */
save:
	mtspr SPRG1, %r1
	mtspr SPRG2, %r2
	mfspr %r1, SPRG3
	addi %r1, %r1, -FRAME
	stw %r0, GPR(0)(%r1)
	stmw %r4, GPR(4)(%r1)
	mfspr %r4, SPRG1
	stw %r4, GPR(1)(%r1)
	mfspr %r4, SPRG2
	stw %r4, GPR(2)(%r1)
	mfspr %r4, SPRG0
	stw %r4, GPR(3)(%r1)
	mfspr %r4, SRR0
	stw %r4, REST(0)(%r1)
	mfspr %r4, SRR1
	stw %r4, REST(1)(%r1)
	mfcr %r4
	stw %r4, REST(2)(%r1)
	mflr %r4
	stw %r4, REST(3)(%r1)
	mfctr %r4
	stw %r4, REST(4)(%r1)
	mfxer %r4
	stw %r4, REST(5)(%r1)
	mfspr %r4, DEAR
	stw %r4, REST(6)(%r1)
	stw %r3, REST(7)(%r1)
	li %r4, 0
	stw %r4, 0(%r1)
	addi %r3, %r1, 8
	bl trap

	.globl return_from_trap
return_from_trap:
	lwz %r4, REST(0)(%r1)
	mtspr SRR0, %r4
	lwz %r4, REST(1)(%r1)
	mtspr SRR1, %r4
	lwz %r4, REST(2)(%r1)
	mtcr %r4
	lwz %r4, REST(3)(%r1)
	mtlr %r4
	lwz %r4, REST(4)(%r1)
	mtctr %r4
	lwz %r4, REST(5)(%r1)
	mtxer %r4
	lmw %r2, GPR(2)(%r1)
	lwz %r0, GPR(0)(%r1)
	lwz %r1, GPR(1)(%r1)
	rfi

	.text
	.globl entry
entry:
	lis %r1, main_stack_top@ha
	addi %r1, %r1, main_stack_top@l - 16
	li %r0, 0
	stw %r0, 0(%r1)
	mr %r4, %r6
	b machine_main

/* u32 enter_user(u32 (*run)(u32), u32 rounds) */
#define SAVED 96
	.globl enter_user
enter_user:
	mflr %r0
	stw %r0, 4(%r1)
	stwu %r1, -SAVED(%r1)
	stmw %r13, 16(%r1)
	mfcr %r0
	stw %r0, 12(%r1)
	lis %r5, kernel_stack@ha
	stw %r1, kernel_stack@l(%r5)
	lis %r1, user_stack_top@ha
	addi %r1, %r1, user_stack_top@l - 16
	li %r0, 0
	stw %r0, 0(%r1)
	mtctr %r3
	mr %r3, %r4
	lis %r5, user_start@ha
	addi %r5, %r5, user_start@l
	mtspr SRR0, %r5
	li %r5, USER_MSR
	mtspr SRR1, %r5
	rfi

user_start:
	bctrl
	li %r0, 0		/* CALL_EXIT */
	sc

	.globl leave_user
leave_user:
	lis %r5, kernel_stack@ha
	lwz %r1, kernel_stack@l(%r5)
	lwz %r0, 12(%r1)
	mtcr %r0
	lmw %r13, 16(%r1)
	addi %r1, %r1, SAVED
	lwz %r0, 4(%r1)
	mtlr %r0
	blr

/* void stack_switch(u32 *save, u32 load) */
	.globl stack_switch
stack_switch:
	mflr %r0
	stw %r0, 4(%r1)
	stwu %r1, -SAVED(%r1)
	stmw %r13, 16(%r1)
	mfcr %r0
	stw %r0, 12(%r1)
	stw %r1, 0(%r3)
	mr %r1, %r4
	lwz %r0, 12(%r1)
	mtcr %r0
	lmw %r13, 16(%r1)
	addi %r1, %r1, SAVED
	lwz %r0, 4(%r1)
	mtlr %r0
	blr

	.section .bss
	.balign 16
kernel_stack:	.skip 4
	.balign 16
	.skip 16384
main_stack_top:
	.skip 65536
user_stack_top:
