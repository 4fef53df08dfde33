// Why a request is not answered by a model: what the client is told, in OpenAI's terms. Every answer
// of the gateway that is not a model's is made here.

import HTTPServing
import Hosting
import Wire

package struct Denial: Error, Equatable, Sendable {
  package var status: Int
  /// OpenAI's class of the error.
  package var type: String
  /// Stable, for programs.
  package var code: String
  /// For people.
  package var message: String
  /// Which field of the request it is about.
  package var parameter: String?
  package var retryAfterSeconds: Int?
  /// Where it is about the method: those that the path answers to.
  package var allowedMethods: String?

  /// The code where it is ours; an engine's words are for its client alone.
  var origin: String { Self.ownCodes.contains(code) ? code : "engine" }

  package init(
    _ status: Int, type: String, code: String, _ message: String, parameter: String? = nil,
    retryAfterSeconds: Int? = nil
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.message = message
    self.parameter = parameter
    self.retryAfterSeconds = retryAfterSeconds
  }
}

// MARK: What the policy refuses

extension Denial {
  static let retryWithoutLeaseSeconds = 2
  static let retryWithoutReplicaSeconds = 5

  static let noLease = Denial(
    503, type: "server_error", code: "no_policy_lease",
    "The gateway has lost touch with its control plane and answers nothing until it is back.",
    retryAfterSeconds: retryWithoutLeaseSeconds)

  static let missingKey = Denial(
    401, type: "invalid_request_error", code: "missing_api_key",
    "No API key was given: send it as 'Authorization: Bearer KEY'.")

  static let unknownKey = Denial(
    401, type: "invalid_request_error", code: "invalid_api_key",
    "The API key is not known: it is mistyped, was revoked, or has expired.")

  static func expiredKey(at date: Timestamp) -> Denial {
    Denial(
      401, type: "invalid_request_error", code: "api_key_expired",
      "The API key ran out at \(date.short) UTC: ask for a new one.")
  }

  /// The one answer for a model that does not exist and for one that the team may not know of.
  static func unknownModel(_ asked: String) -> Denial {
    Denial(
      404, type: "invalid_request_error", code: "model_not_found",
      "The model '\(asked.shortened(to: 140))' does not exist or you do not have access to it.",
      parameter: "model")
  }

  /// The model is the team's, and has no version or alias of this name.
  static func unknownVersion(_ label: String, of model: String) -> Denial {
    Denial(
      404, type: "invalid_request_error", code: "model_version_not_found",
      "The model '\(model)' has no version or alias '\(label.shortened(to: 70))'.",
      parameter: "model")
  }

  /// Told to those alone who may use the model.
  static func wrongTask(of model: PolicyIndex.Model, at endpoint: Endpoint) -> Denial {
    let paths = Endpoint.all(of: model.task).map(\.path).joined(separator: " or ")
    return Denial(
      400, type: "invalid_request_error", code: "model_task_mismatch",
      "The model '\(model.name)' does not answer at \(endpoint.path), since its task is "
        + "\(model.task): ask it at \(paths).", parameter: "model")
  }

  static func refused(code: String, _ message: String) -> Denial {
    Denial(403, type: "permission_error", code: code, message, parameter: "model")
  }

  static func noReadyReplica(of model: String) -> Denial {
    Denial(
      503, type: "server_error", code: "no_ready_replica",
      "No replica of the model '\(model)' is ready.",
      retryAfterSeconds: retryWithoutReplicaSeconds)
  }

  /// - Parameters:
  ///   - part: what this gateway may use of a limit that holds over all gateways; none, where each holds
  ///     to the whole of it by itself.
  ///   - short: what the request may take, where something is left and that is not enough.
  static func rateLimited(
    _ kind: String, limit: Int, part: Int?, of subject: String, short: (asked: Int, left: Int)?,
    wait: Int
  ) -> Denial {
    if let short {
      return rateLimited(
        kind,
        "Of the limit of \(limit) \(kind) a minute of \(subject) \(short.left) are left at this "
          + "gateway beside what requests under way may take, and this one may take \(short.asked): "
          + "try again in \(wait) s, or ask for fewer (max_tokens).", wait: wait)
    }
    let spent =
      switch part {
      case nil: "is used up at this gateway"
      case limit?: "over all gateways together is used up"
      case 0?:
        "over all gateways together is for now with other gateways, or with one that ended a moment "
          + "ago"
      case let part?:
        "over all gateways together is used up as far as this gateway's part of \(part) goes"
      }
    return rateLimited(
      kind,
      "The limit of \(limit) \(kind) a minute of \(subject) \(spent): try again in \(wait) s.",
      wait: wait)
  }

  private static func rateLimited(_ kind: String, _ message: String, wait: Int) -> Denial {
    Denial(
      429, type: kind, code: "rate_limit_exceeded", message, retryAfterSeconds: wait)
  }
}

// MARK: What the request or an engine is at fault of

extension Denial {
  static func malformed(_ message: String, parameter: String? = nil) -> Denial {
    Denial(
      400, type: "invalid_request_error", code: "invalid_request", message, parameter: parameter)
  }

  static func tooLarge(limitBytes: Int) -> Denial {
    Denial(
      413, type: "invalid_request_error", code: "request_too_large",
      "The request's body is longer than \(limitBytes) bytes.")
  }

  /// - Parameter meant: a path that there is, which is written much like it.
  static func unknownRoute(_ method: String, _ path: String, meant: String? = nil) -> Denial {
    Denial(
      404, type: "invalid_request_error", code: "unknown_url",
      "There is no \(method) \(path.shortened(to: 100)) here"
        + (meant.map { ": the path is \($0)." } ?? "."))
  }

  static func wrongMethod(_ method: String, _ path: String, allowed: String) -> Denial {
    var denial = Denial(
      405, type: "invalid_request_error", code: "method_not_allowed",
      "\(path.shortened(to: 100)) does not answer to \(method), but to \(allowed).")
    denial.allowedMethods = allowed
    return denial
  }

  /// What no route sees.
  init(_ problem: ServingProblem, _ limits: GatewayLimits) {
    self.init(
      problem.status, type: "invalid_request_error", code: problem.code,
      problem.message(limits.serving))
  }

  static let overloaded = Denial(
    503, type: "server_error", code: "gateway_overloaded",
    "The gateway answers as many requests as it can.", retryAfterSeconds: 1)

  /// Nothing was begun anywhere, so that asking again is safe.
  static let engineNotReached = Denial(
    502, type: "server_error", code: "engine_not_reached",
    "No engine of the model could be reached: nothing was begun.", retryAfterSeconds: 1)

  static let engineFailed = Denial(
    502, type: "server_error", code: "engine_failed",
    "The model's engine failed before it answered; whether it had begun is not known.")

  static func engineStrange(_ answer: StrangeAnswer) -> Denial {
    Denial(
      502, type: "server_error", code: "engine_bad_answer",
      "The model's engine answered with \(answer): this is a fault of the platform's, not of the "
        + "request.")
  }

  /// It left the policy before it ended: an operator, a plan or a newer version ended it.
  static let engineStopped = Denial(
    503, type: "server_error", code: "engine_stopped",
    "The model's engine was stopped by the platform while it had the request: ask again.",
    retryAfterSeconds: 1)

  static let gatewayStopping = Denial(
    503, type: "server_error", code: "gateway_stopping", "The gateway is stopping: ask again.",
    retryAfterSeconds: 1)

  static let engineRefusedKey = Denial(
    502, type: "server_error", code: "engine_refused_key",
    "The model's engine refused the key that the gateway has for it: this is a fault of the "
      + "platform's, not of the request.", retryAfterSeconds: 5)

  static let engineBroke = Denial(
    502, type: "server_error", code: "engine_failed", "The model's engine failed while it answered."
  )

  static let engineSlow = Denial(
    504, type: "server_error", code: "engine_timeout", "The model's engine did not answer in time.")

  static let engineOverdue = Denial(
    504, type: "server_error", code: "engine_timeout",
    "The answer took longer than answers of this model may.")

  private static let ownCodes: Set<String> = Set(
    [
      noLease, noReadyReplica(of: ""), overloaded, engineNotReached, engineFailed,
      engineRefusedKey, engineBroke, engineSlow, engineStopped, gatewayStopping,
      engineStrange(.notHTTP),
    ].map(\.code) + ["engine_overloaded", "engine_error"])

  /// Nobody reads these; they stand in the metrics, as other proxies count them.
  static let clientGone = Denial(
    499, type: "invalid_request_error", code: "client_gone",
    "The client hung up before it was answered.")

  static let clientStill = Denial(
    499, type: "invalid_request_error", code: "client_still",
    "The client took nothing of its answer for too long.")
}
