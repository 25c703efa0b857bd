/** `/api/openapi.json`: the API's own description, made of the same shapes that its calls are checked by. */
import type { Site } from '../site.ts'

export function addOpenApi(site: Site, version: string): void {
  const { app } = site
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token that `waypost web token` made.',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'waypost-8025',
    description:
      'The cookie of a session; its name ends in the port. What changes something wants the header field `x-waypost-action: 1` and our own `Origin` beside it.',
  })
  let kept: unknown
  site.page('/api/openapi.json', 'glance', (context) => {
    kept ??= app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Waypost', version } })
    return context.json(kept as object)
  })
}
