// What a server does with requests and answers besides its routes, and before them: bodies that it cannot
// read, and pages of other origins.

import HTTPTypes
import Hummingbird
import NIOCore

package struct MannersResponder<Base: HTTPResponder>: HTTPResponder {
  package typealias Context = Base.Context

  let base: Base
  let crossOrigin: CrossOrigin?
  let methods: String
  let form: ProblemForm

  /// - Parameters:
  ///   - crossOrigin: None where pages of other origins have no business.
  ///   - methods: What the routes answer to, as in `GET, HEAD, POST`.
  package init(
    _ base: Base, crossOrigin: CrossOrigin?, methods: String, form: @escaping ProblemForm
  ) {
    self.base = base
    self.crossOrigin = crossOrigin
    self.methods = methods
    self.form = form
  }

  package func respond(to request: Request, context: Context) async throws -> Response {
    guard let crossOrigin else { return try await answer(request, context) }
    if let answer = crossOrigin.preflight(request, methods: methods) { return answer }
    var response = try await answer(request, context)
    crossOrigin.open(&response, to: request)
    return response
  }

  private func answer(_ request: Request, _ context: Context) async throws -> Response {
    guard let encoding = request.headers[.contentEncoding],
      !["", "identity"].contains(encoding.lowercased())
    else { return try await base.respond(to: request, context: context) }
    var response = Response(.encoded(encoding.prefix(40).description), form)
    response.headers[.acceptEncoding] = "identity"
    return response
  }
}

extension Response {
  /// A problem, in the form of its server.
  package init(_ problem: ServingProblem, _ form: ProblemForm) {
    let (contentType, body) = form(problem)
    var headers: HTTPFields = [.contentType: contentType]
    if case .wrongMethod(let allowed) = problem { headers[.allow] = allowed }
    self.init(
      status: .init(code: problem.status), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}
