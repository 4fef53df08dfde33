// Whose connection a request came on: one whose caller showed a good token stays when room runs short,
// so that agents, gateways and admins are not locked out by strangers.

import HTTPServing
import Hummingbird
import NIOCore

package struct APIContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  let channel: any Channel

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

struct KnownCaller: RouterMiddleware {
  typealias Context = APIContext

  /// The connection of the request that is being answered.
  @TaskLocal static var connection: ServerConnection?

  let connections: ConnectionBook

  func handle(
    _ request: Request, context: APIContext,
    next: (Request, APIContext) async throws -> Response
  ) async throws -> Response {
    try await Self.$connection.withValue(connections[context.channel]) {
      do {
        return try await next(request, context)
      } catch let error as APIError where error.status == .unauthorized {
        Self.connection?.isKnown(false)
        throw error
      }
    }
  }
}
