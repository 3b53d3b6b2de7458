"""What a model or a judge is asked: questions, prompts, items, responses, rubrics.

questions    open questions, in the public emergent-misalignment format
prompt_sets  prompts under which traits are measured
scenarios    what word problems are made of, told in four languages
items        the tasks and pairs of the narrow traits
responses    given responses, to be scored and not written
prompts      named system prompts, and what a user may type for one
prompt_pools a hundred wordings and more of one prompt, dealt to rows
candidates   prompts that might inoculate: the catalogue, a file of one's own
battery      test-time prompts around an inoculation prompt
probe_sets   test-time prompts matched to what models are trained on, or of one's own
triggers     the token of a backdoor, and what resembles it
trait_file   a trait of one's own: its questions and its test
rubrics      what a judge is asked, and the fence around what is judged
packaged     a packaged set, a published file or one's own, by name
published    published files of the field, by name and digest
"""
