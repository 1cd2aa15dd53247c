/*
 * One entry an exception, each with its number in r3; the rest is the same for all. Stacks: a trap from privilege 1 starts
 * on a stack of its own, else it goes on where the kernel was.
 */
#define SPRG0 272
#define SPRG1 273
#define SPRG2 274
#define SPRG3 275
#define SRR0 26
#define SRR1 27
#define MCSRR0 570
#define MCSRR1 571
#define FRAME 192	/* back chain, LR word, then struct trap_frame */
#define GPR(n) (8 + 4 * (n))
#define REST(n) (8 + 128 + 4 * (n))

	.section .vectors, "ax"
	.balign 16
	.globl vector_0
	.set n, 0
vector_0:
	.rept 16
	.balign 16
	mtspr SPRG1, %r3
	li %r3, n
	b enter
	.set n, n + 1
	.endr

/* A machine check has save registers of its own; nobody returns from it, so they may go into the others. */
	.globl vector_machine_check
	.balign 16
vector_machine_check:
	mtspr SPRG1, %r3
	mfspr %r3, MCSRR0
	mtspr SRR0, %r3
	mfspr %r3, MCSRR1
	mtspr SRR1, %r3
	li %r3, 1

enter:
	mtspr SPRG0, %r1
	mtspr SPRG2, %r4
	mfcr %r4
	mtspr SPRG3, %r4
	mfspr %r4, SRR1
	andi. %r4, %r4, 0x4000
	beq 1f
	lis %r1, trap_stack_top@ha
	addi %r1, %r1, trap_stack_top@l
1:	addi %r1, %r1, -FRAME
	stw %r0, GPR(0)(%r1)
	stw %r2, GPR(2)(%r1)
	stmw %r5, GPR(5)(%r1)
	mfspr %r5, SPRG0
	stw %r5, GPR(1)(%r1)
	stw %r5, 0(%r1)
	mfspr %r5, SPRG1
	stw %r5, GPR(3)(%r1)
	mfspr %r5, SPRG2
	stw %r5, GPR(4)(%r1)
	mfspr %r5, SRR0
	stw %r5, REST(0)(%r1)
	mfspr %r5, SRR1
	stw %r5, REST(1)(%r1)
	mfspr %r5, SPRG3
	stw %r5, REST(2)(%r1)
	mflr %r5
	stw %r5, REST(3)(%r1)
	mfctr %r5
	stw %r5, REST(4)(%r1)
	mfxer %r5
	stw %r5, REST(5)(%r1)
	mfspr %r5, 62
	stw %r5, REST(6)(%r1)
	mfspr %r5, 61
	stw %r5, REST(7)(%r1)
	stw %r3, REST(8)(%r1)
	addi %r3, %r1, 8
	bl trap

	lwz %r5, REST(0)(%r1)
	mtspr SRR0, %r5
	lwz %r5, REST(1)(%r1)
	mtspr SRR1, %r5
	lwz %r5, REST(2)(%r1)
	mtcr %r5
	lwz %r5, REST(3)(%r1)
	mtlr %r5
	lwz %r5, REST(4)(%r1)
	mtctr %r5
	lwz %r5, REST(5)(%r1)
	mtxer %r5
	lmw %r5, GPR(5)(%r1)
	lwz %r4, GPR(4)(%r1)
	lwz %r3, GPR(3)(%r1)
	lwz %r2, GPR(2)(%r1)
	lwz %r0, GPR(0)(%r1)
	lwz %r1, GPR(1)(%r1)
	rfi

/*
 * void cpu_wait(void). An interrupt between the two instructions would be over before the sleep begins; the trap handler
 * sees wait_here as the saved pc then and skips it.
 */
	.text
	.globl cpu_wait, wait_here
cpu_wait:
	wrteei 1
wait_here:
	wait
	wrteei 0
	blr

/* int context_save(struct cpu_context *) */
	.globl context_save
context_save:
	stw %r1, 0(%r3)
	mflr %r4
	stw %r4, 4(%r3)
	mfcr %r4
	stw %r4, 8(%r3)
	stw %r2, 12(%r3)
	stmw %r13, 16(%r3)
	li %r3, 0
	blr

	.globl context_resume
context_resume:
	lwz %r1, 0(%r3)
	lwz %r4, 4(%r3)
	mtlr %r4
	lwz %r4, 8(%r3)
	mtcr %r4
	lwz %r2, 12(%r3)
	lmw %r13, 16(%r3)
	li %r3, 1
	blr

/* void enter_user(u32 pc, u32 stack): privilege 1, interrupts off */
	.globl enter_user
enter_user:
	mtspr SRR0, %r3
	mfmsr %r5
	ori %r5, %r5, 0x4000
	rlwinm %r5, %r5, 0, 17, 15
	mtspr SRR1, %r5
	mr %r1, %r4
	rfi

	.section .bss
	.balign 16
	.skip 4096
trap_stack_top:
