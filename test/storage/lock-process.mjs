// A process that takes the lock at argv[2] when told to. Messages: { take: moment } is answered by
// { got, code, message }; 'release' by 'released'. With argv[3] 'no-links' its file system has no
// links; with 'pauses' it says 'marker' and 'rename' before these steps of a takeover, and goes on
// when it is sent 'go on'.
import { once } from 'node:events';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { link, rename } = fs.promises;
async function pause(at) {
  process.send(at);
  await once(process, 'go on');
}

if (process.argv[3] === 'no-links') {
  fs.promises.link = async () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), {
      code: 'EPERM',
      errno: -1,
    });
  };
} else if (process.argv[3] === 'pauses') {
  fs.promises.link = async (from, to) => {
    if (/\.\d+$/.test(to)) await pause('marker');
    return link(from, to);
  };
  fs.promises.rename = async (from, to) => {
    await pause('rename');
    return rename(from, to);
  };
}
syncBuiltinESMExports();
const { lockFile } = await import('../../dist/storage/node-lock.js');

let lock;
process.on('message', async (message) => {
  if (message === 'go on') {
    process.emit(message);
    return;
  }
  if (message === 'release') {
    await lock.release();
    process.send('released');
    return;
  }
  // all at once
  while (Date.now() < message.take);
  try {
    lock = await lockFile(process.argv[2]);
    process.send({ got: true });
  } catch (error) {
    process.send({ got: false, code: error.code, message: error.message });
  }
});
process.on('disconnect', () => process.exit());
process.send('ready');
