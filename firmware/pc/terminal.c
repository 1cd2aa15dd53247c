// INT 10h and INT 16h: the display and keyboard of programs which know only the BIOS are whatever
// is at the other end of the first serial port. Where they write line after line it sees no escape
// sequences; where they put the cursor elsewhere first, those of a VT100 follow.
#include "pc.h"

#define COLUMNS 80
#define ROWS 25
#define TEXT_MODE 3  // 80 columns, 25 rows
#define CURSOR_SHAPE 0x0607

// BIOS data area
#define BDA_SERIAL ((volatile uint16 *)0x400)
#define BDA_EQUIPMENT ((volatile uint16 *)0x410)
#define BDA_MODE ((volatile uint8 *)0x449)
#define BDA_COLUMNS ((volatile uint16 *)0x44a)
#define BDA_CURSOR ((volatile uint8 *)0x450)  // of page 0: column, row
#define BDA_LAST_ROW ((volatile uint8 *)0x484)

#define ONE_SERIAL_PORT 0x0200
#define COLOUR_80 0x0020

#define PM_TIMER_HZ 3579545

static int shown_column, shown_row;  // where the terminal has its cursor
static uint16 waiting;  // a key that was looked at and not taken
static int kept = -1;  // a byte that came behind an Esc and is a key of its own
static int listening;

void terminal_init(void) {
  *BDA_SERIAL = UART0_PORT;
  *BDA_EQUIPMENT = ONE_SERIAL_PORT | COLOUR_80;
  *BDA_MODE = TEXT_MODE;
  *BDA_COLUMNS = COLUMNS;
  *BDA_LAST_ROW = ROWS - 1;
}

uint16 terminal_equipment(void) {
  return *BDA_EQUIPMENT;
}

static void send_number(int n) {
  if (n >= 10)
    send_number(n / 10);
  console_send('0' + n % 10);
}

static void send_text(const char *s) {
  while (*s)
    console_send(*s++);
}

static void go_to(int column, int row) {
  if (column == shown_column && row == shown_row)
    return;
  send_text("\033[");
  send_number(row + 1);
  console_send(';');
  send_number(column + 1);
  console_send('H');
  shown_column = column;
  shown_row = row;
}

static void set_cursor(int column, int row) {
  BDA_CURSOR[0] = column;
  BDA_CURSOR[1] = row;
}

// What a PC's display draws for a byte (code page 437), as near as ASCII has it.
static char drawn(uint8 c) {
  if (c >= ' ' && c < 0x7f)
    return c;
  if (c == 0 || c == 0xff)
    return ' ';
  if (c == 0xb3 || c == 0xba)
    return '|';
  if (c == 0xc4 || c == 0xcd)
    return '-';
  return c >= 0xb4 && c <= 0xda ? '+' : '?';
}

static void show(char c, int column, int row) {
  go_to(column, row);
  console_send(drawn(c));
  // behind the last column terminals differ
  shown_column = column + 1 < COLUMNS ? column + 1 : -1;
}

// The row below; at the bottom the terminal scrolls.
static int below(int row) {
  return row < ROWS - 1 ? row + 1 : row;
}

static void teletype(char c) {
  int column = BDA_CURSOR[0], row = BDA_CURSOR[1];
  if (c == '\r') {
    column = shown_column = 0;
    console_send(c);
  } else if (c == '\n') {
    go_to(column, row);
    row = shown_row = below(row);
    console_send(c);
  } else if (c == '\b') {
    go_to(column, row);
    if (column) {
      shown_column = --column;
      console_send(c);
    }
  } else if (c == '\a') {
    console_send(c);
  } else {
    show(c, column++, row);
    if (column == COLUMNS) {
      send_text("\r\n");
      column = shown_column = 0;
      row = shown_row = below(row);
    }
  }
  set_cursor(column, row);
}

static void clear(void) {
  send_text("\033[2J\033[H");
  shown_column = shown_row = 0;
}

static void scroll(int lines) {
  go_to(0, ROWS - 1);
  while (lines--)
    console_send('\n');
}

void display_service(struct bios_frame *f) {
  int column = BDA_CURSOR[0], row = BDA_CURSOR[1];
  switch (f->eax >> 8 & 0xff) {
  case 0x00:  // set a mode: there is one
    clear();
    set_cursor(0, 0);
    return;
  case 0x02:
    set_cursor(f->edx & 0xff, f->edx >> 8 & 0xff);
    return;
  case 0x03:
    set_low(&f->edx, row << 8 | column);
    set_low(&f->ecx, CURSOR_SHAPE);
    return;
  case 0x06:  // a window scrolls up; by no lines: it becomes empty. Only all of a terminal does either.
  case 0x07:
    if ((f->ecx & 0xffff) != 0 || (f->edx >> 8 & 0xff) < ROWS - 1)
      return;
    if ((f->eax & 0xff) == 0)
      clear();
    else if ((f->eax >> 8 & 0xff) == 0x06)
      scroll(f->eax & 0xff);
    return;
  case 0x08:
    set_low(&f->eax, ' ');  // a serial port cannot be asked
    return;
  case 0x09:
  case 0x0a:  // CX times, and the cursor stays
    for (uint32 i = 0; i < (f->ecx & 0xffff) && column < COLUMNS; i++)
      show(f->eax, column++, row);
    return;
  case 0x0e:
    teletype(f->eax);
    return;
  case 0x0f:
    set_low(&f->eax, COLUMNS << 8 | TEXT_MODE);
    set_low(&f->ebx, f->ebx & 0xff);
    return;
  }
}

static int receive(void) {
  int c = kept >= 0 ? kept : console_receive();
  kept = -1;
  return c;
}

// The same, within 20 ms: the bytes of one key come together. The timer has 24 bits (ACPI 6.4 section 4.8.3.3).
static int receive_soon(void) {
  uint32 begin = inl(PM_TIMER_PORT);
  int c;
  do {
    c = receive();
  } while (c < 0 && ((inl(PM_TIMER_PORT) - begin) & 0xffffff) < PM_TIMER_HZ / 50);
  return c;
}

#define ESC 0x011b

// What follows Esc [ or Esc O, as VT100 and xterm send it: the scan code. 0 for what no PC has.
static uint16 cursor_key(int c) {
  static const uint8 letter[26] = {
    ['A' - 'A'] = 0x48, ['B' - 'A'] = 0x50, ['C' - 'A'] = 0x4d, ['D' - 'A'] = 0x4b,
    ['F' - 'A'] = 0x4f, ['H' - 'A'] = 0x47,
    ['P' - 'A'] = 0x3b, ['Q' - 'A'] = 0x3c, ['R' - 'A'] = 0x3d, ['S' - 'A'] = 0x3e,
  };
  static const uint8 digit[10] = { 0, 0x47, 0x52, 0x53, 0x4f, 0x49, 0x51, 0x47, 0x4f };
  uint16 code = 0;
  if (c >= 'A' && c <= 'Z')
    return letter[c - 'A'] << 8;
  if (c >= '0' && c <= '9')
    code = digit[c - '0'] << 8;
  // Home is Esc [ 1 ~; with more before the byte that ends it, it is another key
  while ((c = receive_soon()) >= 0 && c < '@')
    code = 0;
  return c == '~' ? code : 0;
}

static uint16 escape(void) {
  int c = receive_soon();
  if (c == '[' || c == 'O')
    return cursor_key(receive_soon());
  kept = c;
  return ESC;
}

// A key's scan code and character; 0 when there is none.
static uint16 next_key(void) {
  int c = receive();
  switch (c) {
  case -1:
    return 0;
  case '\033':
    return escape();
  case 0x7f:
  case '\b':
    return 0x0e08;
  case '\t':
    return 0x0f09;
  case '\r':
  case '\n':
    return 0x1c0d;
  case ' ':
    return 0x3920;
  }
  return c;
}

// The key that will be taken next; 0 when there is none.
static uint16 look(void) {
  if (!waiting)
    waiting = next_key();
  return waiting;
}

int keyboard_service(struct bios_frame *f) {
  if (!listening) {
    console_listen();
    listening = 1;
  }
  switch (f->eax >> 8 & 0xff) {
  case 0x00:
  case 0x10:
    if (!look())
      return 1;
    set_low(&f->eax, waiting);
    waiting = 0;
    return 0;
  case 0x01:
  case 0x11:
    if (look()) {
      f->flags &= ~FLAG_ZERO;
      set_low(&f->eax, waiting);
    } else {
      f->flags |= FLAG_ZERO;
    }
    return 0;
  case 0x02:
  case 0x12:  // no shift key is down
    set_low(&f->eax, f->eax & 0xff00);
    return 0;
  }
  return 0;
}
