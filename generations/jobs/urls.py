from django.urls import path

from generations.jobs.create import prompt_help_views, saved_prompt_views
from generations.jobs.create import views as create_views
from generations.jobs.live import views as live_views

app_name = "jobs"
urlpatterns = [
    path("create/", create_views.create, name="create"),
    path("create/models/", create_views.models, name="models"),
    path("create/when-opened/", create_views.when_opened, name="when_opened"),
    path("stream/", create_views.batches, name="stream"),
    path("stream/size/", live_views.stream_size, name="stream_size"),
    path("stream/<uuid:batch>/", live_views.batch, name="batch"),
    path("stream/<uuid:batch>/retry/", live_views.retry_ended, name="retry_ended"),
    path("generation/<uuid:generation>/", create_views.generation, name="generation"),
    path("generation/<uuid:generation>/tile/", live_views.tile, name="tile"),
    path("generation/<uuid:generation>/half-done/", live_views.half_done, name="half_done"),
    path("generation/<uuid:generation>/cancel/", live_views.cancel, name="cancel"),
    path("generation/<uuid:generation>/retry/", live_views.retry, name="retry"),
    path("prompts/", create_views.prompts, name="prompts"),
    path("saved-prompts/", saved_prompt_views.page, name="saved_prompts"),
    path("saved-prompts/menu/", saved_prompt_views.menu, name="saved_prompt_menu"),
    path("saved-prompts/new/", saved_prompt_views.new, name="save_prompt"),
    path("saved-prompts/<uuid:saved_prompt>/", saved_prompt_views.change, name="saved_prompt"),
    path("saved-prompts/<uuid:saved_prompt>/delete/", saved_prompt_views.delete, name="delete_saved_prompt"),
    path("prompt-help/", prompt_help_views.ask, name="ask_for_help"),
    path("prompt-help/<uuid:prompt_help>/", prompt_help_views.show, name="prompt_help"),
    path("prompt-help/<uuid:prompt_help>/close/", prompt_help_views.close, name="close_prompt_help"),
    path("form-notes/", create_views.form_notes, name="form_notes"),
    path("notices/", create_views.notices, name="notices"),
    path("cancel-waiting/", live_views.cancel_all, name="cancel_all"),
    path("cancel-waiting/undo/", live_views.undo_cancel, name="undo_cancel"),
    path("compare/", create_views.compare, name="compare"),
    path("picture/<uuid:image>/", create_views.picture, name="picture"),
    path("picture/<uuid:image>/next/", create_views.follow_up, name="follow_up"),
]

# Of a user, not of a team: included at another address.
preferences = ([path("", create_views.preferences, name="page")], "choices")
