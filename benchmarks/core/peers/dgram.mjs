// Node's dgram, as receiver and sender:  node dgram.mjs receive|send [PORT]
// The conversation is that of lines.py: one `go N SECONDS` on the standard input, one line of JSON for an answer.
import dgram from 'node:dgram';
import fs from 'node:fs';

const [mode, port] = process.argv.slice(2);
const BUFFER = 4 * 1024 * 1024;
const FRAME_BYTES = 142 + 1024;

const say = (value) => fs.writeSync(1, JSON.stringify(value) + '\n');

// A blocking read, so that the event loop stands still while the socket is filled.
let rest = '';
const nextLine = () => {
  const bytes = Buffer.alloc(256);
  while (!rest.includes('\n')) {
    const size = fs.readSync(0, bytes);
    if (size === 0) return null;
    rest += bytes.toString('latin1', 0, size);
  }
  const at = rest.indexOf('\n');
  const line = rest.slice(0, at);
  rest = rest.slice(at + 1);
  return line;
};

const frame = (index) => {
  const data = Buffer.alloc(FRAME_BYTES);
  data[0] = 5;
  data[1] = 1;
  data.writeUInt32BE(index, 10);
  return data;
};

let count = 0;
let wanted = 0;
let enough = () => {};
const socket = dgram.createSocket('udp4');
socket.on('message', () => {
  count += 1;
  if (count === wanted) enough();
});

const receive = (packets, seconds) =>
  new Promise((resolve) => {
    count = 0;
    wanted = packets;
    const givingUp = setTimeout(() => resolve(count), seconds * 1000);
    enough = () => {
      clearTimeout(givingUp);
      resolve(count);
    };
  });

const frames = Array.from({ length: 64 }, (_, index) => frame(index));
const send = (packets) =>
  new Promise((resolve) => {
    let sent = 0;
    const one = () => {
      sent += 1;
      if (sent === packets) resolve(packets);
    };
    for (let index = 0; index < packets; index += 1) socket.send(frames[index % 64], Number(port), '127.0.0.1', one);
  });

socket.bind(0, '127.0.0.1', async () => {
  socket.setRecvBufferSize(BUFFER);
  socket.setSendBufferSize(BUFFER);
  say({ port: socket.address().port });
  for (let line = nextLine(); line !== null; line = nextLine()) {
    const [, packets, seconds] = line.split(' ').map(Number);
    const wall = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    const done = await (mode === 'send' ? send(packets) : receive(packets, seconds));
    const used = process.cpuUsage(cpu);
    say({ packets: done, cpu_ns: (used.user + used.system) * 1000, wall_ns: Number(process.hrtime.bigint() - wall) });
  }
  process.exit(0);
});
