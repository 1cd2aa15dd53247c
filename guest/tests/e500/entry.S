/*
 * From the loader to main, and between the kernel and the code under test: `enter` runs what `context` says, and every interrupt ends it
 * and comes back to whoever called `enter`. `context` lies at 0x4000, which stores reach without a base register.
 */
#define CONTEXT 0x4000
#define GPR(n) CONTEXT + 4 * (n)
#define VECTOR CONTEXT + 128
#define PC CONTEXT + 132
#define MSR CONTEXT + 136
#define CR CONTEXT + 140
#define XER CONTEXT + 144
#define LR CONTEXT + 148
#define CTR CONTEXT + 152
#define SAVES CONTEXT + 156
#define ESR CONTEXT + 188
#define DEAR CONTEXT + 192
#define MAS CONTEXT + 196
#define DBSR CONTEXT + 228
#define EPR CONTEXT + 232
#define NOW CONTEXT + 236
#define KERNEL CONTEXT + 252

	.section .vectors, "ax"
	.balign 16
	.globl vectors
	.set n, 0
vectors:
	.rept 42
	.balign 16
	stmw %r0, CONTEXT(0)
	li %r3, n
	b trap
	.set n, n + 1
	.endr

trap:
	stw %r3, VECTOR(0)
	mfcr %r3
	stw %r3, CR(0)
	mfxer %r3
	stw %r3, XER(0)
	mflr %r3
	stw %r3, LR(0)
	mfctr %r3
	stw %r3, CTR(0)
	mfmsr %r3
	stw %r3, NOW(0)
	.macro keep spr, to
	mfspr %r3, \spr
	stw %r3, \to(0)
	.endm
	keep 26, SAVES
	keep 27, SAVES+4
	keep 58, SAVES+8
	keep 59, SAVES+12
	keep 574, SAVES+16
	keep 575, SAVES+20
	keep 570, SAVES+24
	keep 571, SAVES+28
	keep 62, ESR
	keep 61, DEAR
	keep 624, MAS
	keep 625, MAS+4
	keep 626, MAS+8
	keep 627, MAS+12
	keep 628, MAS+16
	keep 630, MAS+24
	keep 944, MAS+28
	keep 304, DBSR
	keep 702, EPR
	/* Debug events end here, and MSR is the kernel's again: interrupts leave CE, ME and DE on. */
	li %r3, 0
	mtmsr %r3
	mtspr 308, %r3
	mtspr 304, %r3
	isync
	lwz %r1, KERNEL(0)
	lwz %r0, 84(%r1)
	mtlr %r0
	lwz %r0, 88(%r1)
	mtcr %r0
	lwz %r2, 92(%r1)
	lmw %r13, 8(%r1)
	addi %r1, %r1, 96
	blr

	.text
	.globl enter
enter:
	stwu %r1, -96(%r1)
	stmw %r13, 8(%r1)
	stw %r2, 92(%r1)
	mfcr %r0
	stw %r0, 88(%r1)
	mflr %r0
	stw %r0, 84(%r1)
	stw %r1, KERNEL(0)
	lwz %r3, PC(0)
	mtspr 26, %r3
	lwz %r3, MSR(0)
	mtspr 27, %r3
	lwz %r3, CR(0)
	mtcr %r3
	lwz %r3, XER(0)
	mtxer %r3
	lwz %r3, LR(0)
	mtlr %r3
	lwz %r3, CTR(0)
	mtctr %r3
	lmw %r1, GPR(1)(0)
	lwz %r0, GPR(0)(0)
	rfi

/* ePAPR 1.1 section 5.4.1: r3 is the device tree. */
	.globl entry
entry:
	lis %r1, stack_top@ha
	addi %r1, %r1, stack_top@l - 16
	li %r0, 0
	stw %r0, 0(%r1)
	bl main

	.section .bss
	.balign 16
stack:	.skip 16384
stack_top:
