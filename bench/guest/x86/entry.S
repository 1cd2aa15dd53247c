/* From the loader to machine_main, and between user mode and the kernel. */
#define MAGIC 0x1badb002
#define FLAGS 2
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23

	.section .multiboot, "a"
	.balign 4
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl entry
entry:
	cli
	cld
	movl $main_stack_top, %esp
	pushl %ebx
	pushl %eax
	call machine_main

/* The 32 exceptions; where the processor pushes no error code, a zero takes its place. Then the gate of user_call. */
	.globl vectors, call_vector
	.balign 16
vectors:
	.set n, 0
	.rept 32
	.balign 16
	.if !(n == 8 || (n >= 10 && n <= 14) || n == 17)
	pushl $0
	.endif
	pushl $n
	jmp exception
	.set n, n + 1
	.endr

exception:
	pushal
	pushl %ds
	pushl %es
	movl $KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	cld
	pushl %esp
	call trap
	addl $4, %esp
	popl %es
	popl %ds
	popal
	addl $8, %esp
	iret

/* All registers but the answer's come back as they were. */
call_vector:
	pushl %ecx
	pushl %edx
	pushl %ds
	pushl %es
	movl $KERNEL_DATA, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	cld
	pushl %ebx
	pushl %eax
	call system_call
	addl $8, %esp
	popl %es
	popl %ds
	popl %edx
	popl %ecx
	iret

/* SYSENTER comes here on a stack of its own, and keeps the data segments of user mode, which are as good. */
	.globl fast_call
fast_call:
	pushl %ecx
	pushl %edx
	pushl %ebx
	pushl %eax
	call system_call
	addl $8, %esp
	popl %edx
	popl %ecx
	sysexit

/* u32 enter_user(u32 (*run)(u32), u32 rounds): the stack of user mode holds user_start's argument, as a call would leave it. */
	.globl enter_user
enter_user:
	movl 4(%esp), %eax
	movl 8(%esp), %ecx
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl %esp, kernel_stack
	movl $user_stack_top - 16, %edx
	movl %ecx, (%edx)
	pushl $USER_DATA
	pushl %edx
	pushl $2
	pushl $USER_CODE
	pushl $user_start
	movl $USER_DATA, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	iret

user_start:
	fninit
	call *%eax
	movl %eax, %ebx
	movl $0, %eax		/* CALL_EXIT */
	int $0x80

	.globl leave_user
leave_user:
	movl 4(%esp), %eax
	movl kernel_stack, %esp
	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	ret

/* void stack_switch(u32 *save, u32 load) */
	.globl stack_switch
stack_switch:
	movl 4(%esp), %eax
	movl 8(%esp), %ecx
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl %esp, (%eax)
	movl %ecx, %esp
	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	ret

/* Where a new process's first turn begins: the frame for IRET is on its stack. */
	.globl process_start
process_start:
	movl $USER_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	iret

	.section .bss
	.balign 16
kernel_stack:	.skip 4
	.balign 16
	.skip 16384
main_stack_top:
	.skip 65536
user_stack_top:
