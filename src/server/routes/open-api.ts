import { type Exchange, json } from '../exchange.js';
import { OPEN_API } from '../open-api.js';

/** What there is, for programs that make clients of it. */
export async function openApi({ served }: Exchange): Promise<Response> {
  const { '/mcp': mcp, ...paths } = OPEN_API.paths;
  return json(
    served.options.mcp ? { ...OPEN_API, paths: { ...paths, '/mcp': mcp } } : { ...OPEN_API, paths },
  );
}
