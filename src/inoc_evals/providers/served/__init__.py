"""Models that others serve, vLLM or OpenAI: checked before they are believed.

served      `inoc/<name>` through Inspect's own providers
vllm_names  what vLLM calls a base and an adapter
checking    who answers under a name, asked of the server
neighbors   who else is on a vLLM server
continuing  a chat rendered as in training, sent as token ids to continue
forwarding  what Inspect asks of a provider, handed on
"""
