/*
 * 256 entries, 16 bytes apart so that trap.c can compute their addresses. Exceptions 8, 10-14 and 17 push an error code
 * (Intel SDM vol. 3 section 6.13); the others push a zero here, so that every frame has one shape.
 */
	.text
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
	jmp enter
	.set n, n + 1
	.endr

enter:
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	pushal
	cld
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	pushl %esp
	call trap
	addl $4, %esp
	popal
	popl %gs
	popl %fs
	popl %es
	popl %ds
	addl $8, %esp
	iret

/* int context_save(struct cpu_context *): what a call preserves, and where to go on */
	.globl context_save
context_save:
	movl 4(%esp), %eax
	movl %ebx, (%eax)
	movl %esi, 4(%eax)
	movl %edi, 8(%eax)
	movl %ebp, 12(%eax)
	leal 4(%esp), %ecx
	movl %ecx, 16(%eax)
	movl (%esp), %ecx
	movl %ecx, 20(%eax)
	xorl %eax, %eax
	ret

	.globl context_resume
context_resume:
	movl 4(%esp), %edx
	movl (%edx), %ebx
	movl 4(%edx), %esi
	movl 8(%edx), %edi
	movl 12(%edx), %ebp
	movl 16(%edx), %esp
	movl $1, %eax
	jmp *20(%edx)

/* void enter_user(u32 eip, u32 esp): by IRET, interrupts off, no I/O privilege */
	.globl enter_user
enter_user:
	movl 4(%esp), %eax
	movl 8(%esp), %ecx
	movl $0x23, %edx
	movl %edx, %ds
	movl %edx, %es
	pushl %edx
	pushl %ecx
	pushl $2
	pushl $0x1b
	pushl %eax
	iret
