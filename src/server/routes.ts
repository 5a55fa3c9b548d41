import type { Route } from './router.js';
import { describeCollection, describeMetadata, listCollections } from './routes/collections.js';
import {
  addDocuments,
  deleteDocument,
  deleteDocuments,
  getDocument,
  getDocuments,
} from './routes/documents.js';
import { encodeAsJina, encodeAsVllm } from './routes/encode.js';
import { cancelJob, getJob, listJobs, startJob, watchJob } from './routes/jobs.js';
import { openApi } from './routes/open-api.js';
import { rerank } from './routes/rerank.js';
import { rerankIds, search } from './routes/search.js';
import { health, metrics, ready } from './routes/system.js';

/** All that is served, but for `/mcp` and the page. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/health', answer: health, open: true, late: true },
  { method: 'GET', path: '/ready', answer: ready, open: true, late: true },
  { method: 'GET', path: '/metrics', answer: metrics, late: true },
  { method: 'GET', path: '/openapi.json', answer: openApi, open: true },
  { method: 'GET', path: '/collections', answer: listCollections },
  { method: 'GET', path: '/collections/{name}', answer: describeCollection },
  { method: 'GET', path: '/collections/{name}/fields', answer: describeMetadata },
  { method: 'POST', path: '/collections/{name}/search', answer: search },
  { method: 'POST', path: '/collections/{name}/rerank', answer: rerankIds },
  { method: 'POST', path: '/collections/{name}/documents', answer: addDocuments },
  { method: 'POST', path: '/collections/{name}/documents/get', answer: getDocuments },
  { method: 'POST', path: '/collections/{name}/documents/delete', answer: deleteDocuments },
  { method: 'GET', path: '/collections/{name}/documents/{id}', answer: getDocument },
  { method: 'DELETE', path: '/collections/{name}/documents/{id}', answer: deleteDocument },
  { method: 'POST', path: '/collections/{name}/fit', answer: startJob('fit') },
  { method: 'POST', path: '/collections/{name}/tune', answer: startJob('tune') },
  { method: 'POST', path: '/collections/{name}/compact', answer: startJob('compact') },
  { method: 'GET', path: '/jobs', answer: listJobs },
  { method: 'GET', path: '/jobs/{id}', answer: getJob },
  { method: 'GET', path: '/jobs/{id}/events', answer: watchJob },
  { method: 'DELETE', path: '/jobs/{id}', answer: cancelJob },
  { method: 'POST', path: '/v2/rerank', answer: rerank },
  { method: 'POST', path: '/v1/rerank', answer: rerank },
  { method: 'POST', path: '/rerank', answer: rerank },
  { method: 'POST', path: '/v1/multi-vector', answer: encodeAsJina },
  { method: 'POST', path: '/pooling', answer: encodeAsVllm },
];
