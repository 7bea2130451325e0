package deploy

// CentrifugoV5Name returns the name in Centrifugo v5 of an option of v6, whose name has dots
// between its sections, as in "client.allowed_origins". It knows the options that Fanfare uses or
// checks.
func CentrifugoV5Name(option string) (name string, ok bool) {
	name, ok = map[string]string{
		"http_server.address":                               "address",
		"http_server.port":                                  "port",
		"http_server.internal_address":                      "internal_address",
		"http_server.internal_port":                         "internal_port",
		"http_api.key":                                      "api_key",
		"http_api.insecure":                                 "api_insecure",
		"grpc_api.enabled":                                  "grpc_api",
		"grpc_api.address":                                  "grpc_api_address",
		"grpc_api.port":                                     "grpc_api_port",
		"grpc_api.key":                                      "grpc_api_key",
		"health.enabled":                                    "health",
		"prometheus.enabled":                                "prometheus",
		"usage_stats.disabled":                              "usage_stats_disable",
		"client.allowed_origins":                            "allowed_origins",
		"client.expired_close_delay":                        "client_expired_close_delay",
		"client.expired_sub_close_delay":                    "client_expired_sub_close_delay",
		"client.presence_update_interval":                   "client_presence_update_interval",
		"channel.proxy.sub_refresh.endpoint":                "proxy_sub_refresh_endpoint",
		"channel.proxy.sub_refresh.include_connection_meta": "proxy_include_connection_meta",
		"client.insecure":                                   "client_insecure",
		"client.insecure_skip_token_signature_verify":       "client_insecure_skip_token_signature_verify",
		"client.allow_anonymous_connect_without_token":      "allow_anonymous_connect_without_token",
		"client.token.hmac_secret_key":                      "token_hmac_secret_key",
		"client.subscription_token.enabled":                 "separate_subscription_token_config",
		"client.subscription_token.hmac_secret_key":         "subscription_token_hmac_secret_key",
		"client.subscribe_to_user_personal_channel.enabled": "user_subscribe_to_personal",
		"client.subscribe_to_user_personal_channel.personal_channel_namespace": "user_personal_channel_namespace",
		"channel.namespaces": "namespaces",
		"consumers":          "consumers",
	}[option]
	return name, ok
}

// CentrifugoV5NamespaceName returns the name in Centrifugo v5 of an option that v6 has in a
// namespace.
func CentrifugoV5NamespaceName(option string) string {
	if option == "sub_refresh_proxy_enabled" {
		return "proxy_sub_refresh"
	}
	return option
}
