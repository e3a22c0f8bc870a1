//! What a file's observation rests on. Pure.

use super::File;
use super::goal::GoalShape;
use super::wanted::{Shape, Wanted};
use crate::host::watch::Interest;
use crate::kind::Watch;

impl Watch<Self> for File {
    fn interests(&self, wanted: &Wanted) -> Vec<Interest> {
        let mut interests = Vec::new();
        for goal in [wanted.top()].into_iter().chain(wanted.members()) {
            let path = goal.path(&wanted.path);
            // A file whose content is nobody's business may be a log that is written to all day.
            let content = matches!(goal.shape, GoalShape::File { content: Some(_), .. });
            interests.push(if content && wanted.replace {
                Interest::Path(path)
            } else {
                Interest::Place(path)
            });
        }
        if let Shape::Tree(tree) = &wanted.shape
            && tree.purge
        {
            interests.push(Interest::Tree(wanted.path.clone()));
        }
        interests
    }
}
