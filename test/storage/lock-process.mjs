// A process that takes the lock at argv[2] when told to. Messages: { take: moment } is answered by { got, message }; 'release' by 'released'.
// With argv[3] 'no-links' its file system has no links.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

if (process.argv[3] === 'no-links') {
  fs.promises.link = async () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM', errno: -1 });
  };
  syncBuiltinESMExports();
}
const { lockFile } = await import('../../dist/storage/node-lock.js');

let lock;
process.on('message', async (message) => {
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
