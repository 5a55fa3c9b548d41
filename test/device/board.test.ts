import { expect, test } from 'vitest';
import {
  awaitStep,
  blocksDrawn,
  countBlock,
  createBoard,
  drawBlock,
  stopJob,
} from '../../src/device/cpu/board.js';

const steps = [{ blocks: 2 }, { blocks: 3 }];

test('every block of a step is drawn once, and the step is over when all are done', () => {
  const board = createBoard(steps.length);
  expect([0, 1, 2].map(() => drawBlock(board, 0, 2))).toEqual([0, 1, -1]);
  countBlock(board, 0, 2);
  countBlock(board, 0, 2);
  expect(awaitStep(board, 0, 2)).toBe(true);
  expect(drawBlock(board, 1, 3)).toBe(0);
  expect(blocksDrawn(board, steps)).toBe(3);
});

test('who waits for a block that is never done goes on when the job is stopped', () => {
  const board = createBoard(steps.length);
  drawBlock(board, 0, 2);
  stopJob(board);
  expect(awaitStep(board, 0, 2)).toBe(false);
  expect(drawBlock(board, 0, 2)).toBe(-1);
  stopJob(board);
  expect(awaitStep(board, 0, 2)).toBe(false);
});
