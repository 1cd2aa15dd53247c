/*
 * From the loader to main, and between the kernel and the code under test: `enter` runs what `context` says, and every exception and interrupt
 * ends it and comes back to whoever called `enter`.
 */
#define MAGIC 0x1badb002
#define FLAGS 2
#define KERNEL_DATA 0x10

/* Places in struct context. */
#define GS 0
#define FS 4
#define ES 8
#define DS 12
#define EDI 16
#define ESI 20
#define EBP 24
#define EBX 32
#define EDX 36
#define ECX 40
#define EAX 44
#define EIP 56
#define CS 60
#define EFLAGS 64
#define ESP 68
#define SS 72
#define V86_ES 76
#define V86_DS 80
#define V86_FS 84
#define V86_GS 88
#define DWORDS 23

	.section .multiboot, "a"
	.balign 4
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl entry
entry:
	cli
	cld
	movl $stack_top, %esp
	pushl %ebx
	pushl %eax
	call main

	/* 256 entries of 16 bytes. Where the processor pushes no error code, a zero takes its place. */
	.globl vectors
	.balign 16
vectors:
	.set n, 0
	.rept 256
	.balign 16
	.if !(n == 8 || (n >= 10 && n <= 14) || n == 17)
	pushl $0
	.endif
	pushl $n
	jmp trap
	.set n, n + 1
	.endr

trap:
	pushal
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	movl $KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	cld
	movl %esp, %esi
	movl %ss, %eax
	larl %eax, %eax
	testl $0x400000, %eax
	jnz 1f
	movzwl %si, %esi	/* a stack of 16 bits, of which only SP counts */
1:	movl %esi, trap_frame
	movl $context, %edi
	movl $DWORDS, %ecx
	rep movsl
	lss kernel_stack, %esp
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	ret

	.globl enter
enter:
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl %esp, kernel_stack
	testl $0x20000, context + EFLAGS
	jnz 1f
	testl $3, context + CS
	jnz 1f
	lss context + ESP, %esp
	jmp 2f
1:	pushl context + V86_GS
	pushl context + V86_FS
	pushl context + V86_DS
	pushl context + V86_ES
	pushl context + SS
	pushl context + ESP
2:	pushl context + EFLAGS
	pushl context + CS
	pushl context + EIP
	movl context + EDI, %edi
	movl context + ESI, %esi
	movl context + EBP, %ebp
	movl context + EBX, %ebx
	movl context + EDX, %edx
	movl context + ECX, %ecx
	movl context + EAX, %eax
	movw context + GS, %gs
	movw context + FS, %fs
	movw context + ES, %es
	movw %cs:context + DS, %ds
	iret

	.data
	.balign 4
	.globl trap_frame
kernel_stack:	.long 0, KERNEL_DATA
trap_frame:	.long 0

	.section .bss
	.balign 16
stack:	.skip 16384
stack_top:
